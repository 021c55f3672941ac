# The daemon as one bundled file. PostgreSQL is not part of the image: give it a DATABASE_URL.
#   docker build -t cadenced .
#   docker run --read-only --env-file cadenced.env -v ./cadenced.yaml:/etc/cadenced/cadenced.yaml:ro cadenced

FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# Nothing the bundle needs is made by an install script, so none runs.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY src src
# The banner gives the CommonJS packages inside the bundle the `require` they ask for at run time.
# pg-native is an optional accelerator that is not installed; pg falls back by itself. The sandbox stays outside.
RUN node_modules/.bin/esbuild src/main.ts --outfile=dist/cadenced.mjs \
      --bundle --platform=node --format=esm --target=node24 --external:pg-native --external:./sandbox-run.ts \
      --legal-comments=linked \
      --banner:js='import{createRequire as bundleRequire}from"node:module";const require=bundleRequire(import.meta.url);'

FROM node:24-slim
# The tag moves; an image that was fetched long ago may carry a Node older than the daemon needs.
RUN node -e "const [major, minor] = process.versions.node.split('.').map(Number); \
      if (major !== 24 || minor < 18) { console.error('Node ' + process.versions.node + ' is too old: docker pull node:24-slim'); process.exit(1); }"
WORKDIR /app
COPY --from=build /build/dist/ ./
COPY sql sql
COPY config config
# In a container only its own network can reach this address; outside of one the default is loopback.
ENV NODE_ENV=production \
    CADENCED_HOST=0.0.0.0
EXPOSE 8080
USER 1000:1000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.CADENCED_PORT || 8080}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Half the memory for the same processor time, as `npm start` has it too: src/README.md, decision 26.
ENTRYPOINT ["node", "--max-semi-space-size=4", "--heap-growing-percent=40", "/app/cadenced.mjs"]
CMD ["start"]
