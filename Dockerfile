# Two stages on Debian 12: build everything from source, ship one binary and the libraries it needs.
# BASE lets a build without a registry name a local root file system. SOURCE_DIR is where the sources
# lie while they are compiled: a build that shares a ccache with another tree names that tree's path.
ARG BASE=debian:12-slim

FROM ${BASE} AS build
ARG SOURCE_DIR=/src
ARG JOBS
WORKDIR ${SOURCE_DIR}
COPY deploy/deps deploy/deps
RUN deploy/deps/install.sh build image && SPANGATE_DEPS_DIR=/opt/spangate deploy/deps/librdkafka.sh
COPY . .
RUN cmake -G Ninja -S . -B build -DCMAKE_BUILD_TYPE=Release -DSPANGATE_TESTS=OFF \
        -DSPANGATE_DEPS_DIR=/opt/spangate --log-level=WARNING \
 && cmake --build build --target spangate ${JOBS:+--parallel ${JOBS}} \
 && deploy/image/collect.sh build/spangate /image

# No shell, no package manager: nothing to log in to, nothing to patch but the libraries.
FROM scratch
COPY --from=build /image/ /
USER 65532:65532
EXPOSE 4317 4318 9464
ENTRYPOINT ["/usr/bin/spangate"]
CMD ["serve", "--config", "/etc/spangate/spangate.yaml"]
