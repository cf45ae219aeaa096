# The image with plpython3u, whose interpreter must live beside the preloaded one.
ARG IMAGE=rvbbit-fdw:latest
FROM ${IMAGE}
ARG DEBIAN_MIRROR
ARG DEBIAN_SECURITY_MIRROR
COPY docker/packages.sh docker/ca/ /tmp/build/
RUN sh /tmp/build/packages.sh postgresql-plpython3-17
