# The commands of the house; `make` alone lists them. One build tree (build/, Release) serves run,
# test and e2e, so that a small machine compiles once. Sanitizer builds have trees of their own.

# A compiler takes up to 2 GiB on the largest files: as many jobs as cores and memory carry.
JOBS ?= $(shell cores=$$(nproc); room=$$(awk '/^MemTotal/ {print int($$2 / 2097152)}' /proc/meminfo); \
	[ $$room -ge 1 ] || room=1; [ $$cores -le $$room ] && echo $$cores || echo $$room)
SPANGATE_WERROR ?= OFF
SOURCES = $(shell git ls-files '*.cc' '*.h')

.DEFAULT_GOAL := help
.PHONY: help deps configure build run test unit e2e faults faults-peer asan tsan tidy format redact-quality bench image clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: # What the build needs: Debian packages and a static librdkafka
	@deploy/deps/install.sh build
	@deploy/deps/librdkafka.sh

configure: deps # One build tree for everything
	@cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DSPANGATE_WERROR=$(SPANGATE_WERROR) --log-level=WARNING

build: configure ## Install what is missing and build build/spangate and the tests (Release)
	@cmake --build build --parallel $(JOBS)

run: configure ## Start with a dev broker, send one bundled agent session and show its records
	@deploy/deps/install.sh run
	@cmake --build build --parallel $(JOBS) --target spangate
	@deploy/demo/run.sh

test: build ## Install what is missing and run everything: unit, contract and end-to-end tests, faults in short
	@deploy/deps/install.sh test
	@python="$$(tests/e2e/environment.sh)" && "$$python" tests/run.py build unit e2e

unit: build ## Unit and contract tests only
	@deploy/deps/install.sh test
	@python3 tests/run.py build unit

e2e: build ## End-to-end tests only (real Kafka, real OpenTelemetry SDK); ARGS='-k name' picks some
	@deploy/deps/install.sh test
	@python="$$(tests/e2e/environment.sh)" && "$$python" tests/run.py build e2e $(ARGS)

faults: build ## Every fault at full length (hours), its figures as a table; ARGS='-k name' picks some
	@deploy/deps/install.sh test
	@python="$$(tests/e2e/environment.sh)" && "$$python" tests/run.py build faults $(ARGS)

faults-peer: build ## The same load, faults and oracle for a Collector beside ours; COLLECTOR=binary
	@test -x "$(COLLECTOR)" || { echo "COLLECTOR=path of a Collector with the Kafka exporter" >&2; exit 1; }
	@deploy/deps/install.sh test
	@python="$$(tests/e2e/environment.sh)" && \
		COLLECTOR="$(abspath $(COLLECTOR))" "$$python" tests/run.py build peer $(ARGS)

asan: deps ## Unit tests under the address and undefined-behaviour sanitizers
	@cmake --preset asan && cmake --build --preset asan --parallel $(JOBS)
	@python3 tests/run.py build-asan unit

tsan: deps ## Unit tests under the thread sanitizer
	@cmake --preset tsan && cmake --build --preset tsan --parallel $(JOBS)
	@python3 tests/run.py build-tsan unit

tidy: build ## clang-tidy over src/
	@deploy/deps/install.sh tools
	@git ls-files 'src/*.cc' | xargs -P $(JOBS) -n 1 clang-tidy-14 -p build --quiet

format: ## clang-format over all sources
	@deploy/deps/install.sh tools
	@clang-format-14 -i $(SOURCES)

redact-quality: build ## Precision and recall of redaction beside Presidio and the Collector's rules
	@deploy/deps/install.sh test
	@python="$$(tests/e2e/environment.sh quality-compare)" && \
		"$$python" tests/quality/quality.py --binary build/spangate $(ARGS)

bench: build ## Load generator and micro-benchmarks; see load/README.md
	@load/run.sh

image: ## The container image, with docker, podman or buildah, whichever is there
	@flags="--build-arg JOBS=$(JOBS) -t spangate:$$(sed -n 's/^project(spangate VERSION \([^ ]*\).*/\1/p' CMakeLists.txt)"; \
	if command -v docker >/dev/null && docker info >/dev/null 2>&1; then docker build $$flags .; \
	elif command -v podman >/dev/null; then podman build $$flags .; \
	elif command -v buildah >/dev/null; then buildah bud $$flags .; \
	else echo "none of docker, podman, buildah is here" >&2; exit 1; fi

clean: ## Remove build trees; what deploy/deps cached stays
	@rm -rf build build-dev build-release build-asan build-tsan build-fuzz
