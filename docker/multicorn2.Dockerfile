# The Python package and the extension rvbbit on top of an image that has Multicorn2 (3.2 or later) on PostgreSQL 17.
#
#   docker build -f docker/multicorn2.Dockerfile --build-arg MULTICORN2_IMAGE=... --target server -t rvbbit-fdw-multicorn2 .
#
# The image has to be one of Debian (or Ubuntu), with PostgreSQL in /usr/lib/postgresql/17, the user postgres (uid 999)
# and Python 3.11 or later, the one that Multicorn2 was built with. Nothing here brings Multicorn2 itself.
# Closed networks: as in docker/Dockerfile.
ARG MULTICORN2_IMAGE
FROM ${MULTICORN2_IMAGE} AS builder
USER root
ARG DEBIAN_MIRROR
ARG DEBIAN_SECURITY_MIRROR
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
COPY docker/packages.sh docker/pip.sh docker/ca/ /tmp/build/
RUN sh /tmp/build/packages.sh make sed python3-pip python3-setuptools
WORKDIR /src
COPY pyproject.toml ./
RUN sh /tmp/build/pip.sh dependencies /out/opt/rvbbit/site-packages
COPY fdw/rvbbit_fdw/pushdown/zone_list.py /tmp/build/
RUN PYTHONPATH=/out/opt/rvbbit/site-packages python3 /tmp/build/zone_list.py > /tmp/build/zones.json
COPY sql sql
RUN make -C sql install extensions=rvbbit DESTDIR=/out PG_CONFIG=/usr/lib/postgresql/17/bin/pg_config
COPY fdw/rvbbit_fdw fdw/rvbbit_fdw
# Compiled, because each connection imports it anew, and nothing can be kept at run time: the root file system is read-only.
RUN sh /tmp/build/pip.sh project /out/opt/rvbbit/site-packages \
    && python3 -m compileall -q -s /out --invalidation-mode unchecked-hash /out/opt/rvbbit/site-packages/rvbbit_fdw \
    && install -m 0644 /tmp/build/zones.json /out/opt/rvbbit/site-packages/rvbbit_fdw/pushdown/zones.json \
    && packages=/out$(python3 -c 'import site; print(site.getsitepackages()[0])') \
    && install -d "$packages" && echo /opt/rvbbit/site-packages > "$packages/rvbbit.pth"
COPY docker/postgresql.conf docker/multicorn2.sh /tmp/build/
RUN sh /tmp/build/multicorn2.sh /tmp/build/postgresql.conf > /out/opt/rvbbit/postgresql.conf

FROM ${MULTICORN2_IMAGE} AS server
USER root
COPY --from=builder /out /
COPY docker/entrypoint.sh docker/check-sessions.sh docker/healthcheck.sh docker/healthcheck.sql docker/bootstrap.sql \
    /opt/rvbbit/
# Settings of the image come before what initdb or a person writes into postgresql.conf, so that theirs win.
RUN sample=/usr/share/postgresql/17/postgresql.conf.sample \
    && if ! grep -q /opt/rvbbit "$sample"; then sed -i --follow-symlinks \
        "1i include_if_exists = '/opt/rvbbit/postgresql.conf'\ninclude_if_exists = '/var/run/postgresql/rvbbit.conf'" \
        "$sample"; fi \
    && install -d /sessions /docker-entrypoint-initdb.d \
    && install -d -o postgres -g postgres -m 0700 /var/lib/rvbbit
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/17/bin \
    LANG=C.UTF-8 PG_MAJOR=17 PGDATA=/var/lib/postgresql/data RVBBIT_HOST=multicorn2
VOLUME ["/var/lib/postgresql/data", "/var/lib/rvbbit"]
EXPOSE 5432
STOPSIGNAL SIGINT
HEALTHCHECK --interval=10s --timeout=30s --start-period=60s --retries=3 CMD ["/opt/rvbbit/healthcheck.sh"]
ENTRYPOINT ["/opt/rvbbit/entrypoint.sh"]
CMD ["postgres"]
