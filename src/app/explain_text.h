// The report of `spangate explain` for people: one block an item with a line that sums it up, at
// most 100 columns, colours only on a terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/explain_report.h"

namespace spangate {

// A table as the report's head names it.
struct ExplainTables {
    std::string conventions;  // the file, or «built in»
    std::string rules_hash;
    std::string prices;
    std::string price_version;
};

// Columns that a text takes on a terminal.
[[nodiscard]] std::size_t width_of(std::string_view text);

class ExplainText {
  public:
    static constexpr std::size_t columns = 100;

    explicit ExplainText(bool has_colours) : has_colours_(has_colours) {}

    // Each gives whole lines; the view is valid until the next call.
    [[nodiscard]] std::string_view tables(const ExplainTables& tables);
    [[nodiscard]] std::string_view body(std::string_view path, std::string_view looks_like);
    [[nodiscard]] std::string_view resource(const std::vector<AttributeReport>& attributes);
    [[nodiscard]] std::string_view item(const ItemReport& item);
    [[nodiscard]] std::string_view totals(const ExplainTotals& totals);

  private:
    enum class Style { plain, bold, dim, good, bad, hint };

    void begin() { out_.clear(); }

    void put(std::string_view text, Style style = Style::plain);
    void end_line();
    void pad_to(std::size_t column);
    void label(std::string_view name);
    void wrapped(std::string_view text, std::size_t indent, Style style = Style::plain);

    void headline(const ItemReport& item);
    void conventions(const ItemReport& item);
    void events(const ItemReport& item);
    void fields(const std::vector<FieldReport>& fields, std::string_view name);
    void session(const ItemReport& item);
    void attributes(const std::vector<AttributeReport>& attributes);
    [[nodiscard]] static std::string origin_of(const FieldReport& field);
    [[nodiscard]] static std::vector<AttributeReport> grouped(
        const std::vector<AttributeReport>& all
    );
    void content(const std::vector<AttributeReport>& attributes);
    void named(const std::vector<AttributeReport>& attributes, std::string_view treatment);
    void counts(std::string_view name, const std::map<std::string, std::size_t>& counts);

    bool has_colours_;
    bool is_behind_items_ = false;
    std::string out_;
    std::string line_;
    std::size_t width_ = 0;
};

}  // namespace spangate
