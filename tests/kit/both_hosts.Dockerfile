# Our own host added to an image with Multicorn2: both must live in one backend.
ARG IMAGE=rvbbit-fdw-multicorn2:latest
FROM ${IMAGE} AS builder
ARG DEBIAN_MIRROR
ARG DEBIAN_SECURITY_MIRROR
COPY docker/packages.sh docker/ca/ /tmp/build/
RUN EXTRACT=postgresql-server-dev-17 sh /tmp/build/packages.sh gcc make libc6-dev libpython3-dev
COPY sql /src/sql
RUN make -C /src/sql install extensions=rvbbit_fdw DESTDIR=/out PG_CONFIG=/usr/lib/postgresql/17/bin/pg_config
COPY fdw/host /src/fdw/host
RUN make -C /src/fdw/host install DESTDIR=/out PG_CONFIG=/usr/lib/postgresql/17/bin/pg_config with_llvm=no

FROM ${IMAGE}
COPY --from=builder /out /
