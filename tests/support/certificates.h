// Throw-away certificates, made by the openssl program when a test asks for them.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <unistd.h>

namespace spangate::testing {

// ca.pem signs server.pem (localhost, 127.0.0.1) and client.pem (CN «acme»); other-ca.pem signs
// stranger.pem. Keys beside them as *.key. Removed with the object.
class Certificates {
  public:
    Certificates() {
        std::string pattern = (std::filesystem::temp_directory_path() / "certs-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temp directory");
        directory_ = pattern;
        make_authority("ca");
        make_authority("other-ca");
        make_leaf("server", "localhost", "ca");
        make_leaf("client", "acme", "ca");
        make_leaf("stranger", "mallory", "other-ca");
    }

    Certificates(const Certificates&) = delete;
    Certificates& operator=(const Certificates&) = delete;

    ~Certificates() {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }

    [[nodiscard]] std::string certificate(const std::string& name) const {
        return directory_ + "/" + name + ".pem";
    }

    [[nodiscard]] std::string key(const std::string& name) const {
        return directory_ + "/" + name + ".key";
    }

    // Signs `name` anew, with a new key, in place: what a certificate manager does.
    void renew(const std::string& name, const std::string& common, const std::string& ca) const {
        make_leaf(name, common, ca);
    }

  private:
    void run(const std::string& arguments) const {
        const std::string command =
            "cd " + directory_ + " && openssl " + arguments + " >openssl.log 2>&1";
        if (std::system(command.c_str()) != 0)  // NOLINT(concurrency-mt-unsafe)
            throw std::runtime_error("failed: openssl " + arguments);
    }

    void make_authority(const std::string& name) const {
        run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" +
            name + " -keyout " + name + ".key -out " + name + ".pem");
    }

    void make_leaf(const std::string& name, const std::string& common, const std::string& ca)
        const {
        run("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + common +
            " -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout " + name + ".key -out " +
            name + ".csr");
        run("x509 -req -in " + name + ".csr -copy_extensions copy -days 2 -CA " + ca +
            ".pem -CAkey " + ca + ".key -CAcreateserial -out " + name + ".pem");
    }

    std::string directory_;
};

}  // namespace spangate::testing
