# halomesh with compiled kernels, run by a user without rights.
#
#   docker build -t halomesh .
#   docker run --rm --init --user "$(id -u):$(id -g)" -v "$PWD:/data" halomesh train --data ct --out runs/a
#
# `view` answers on 127.0.0.1: give it --network host. All ranks of a mesh run in one process: there is no MPI in it.

FROM node:20-bookworm AS build
WORKDIR /source
COPY . .
RUN npm run build:packages -- --only "linux-$(node -p process.arch)" --out /packages
RUN mkdir /opt/halomesh && cd /opt/halomesh && npm init --yes >/dev/null \
  && npm install --ignore-scripts --no-audit --no-fund --install-links /packages/*.tgz

FROM node:20-bookworm-slim
COPY --from=build /opt/halomesh /opt/halomesh
RUN ln -s /opt/halomesh/node_modules/.bin/halomesh /usr/local/bin/halomesh && halomesh info
WORKDIR /data
ENV HOME=/tmp
USER node
ENTRYPOINT ["halomesh"]
CMD ["--help"]
