# One image for API, worker and migrations; the command says which. `docker compose up --build` runs all of them.

FROM node:24-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
# tsc to dist/, files that are read at run time beside it, workflows bundled once instead of at every start of a worker.
RUN npm run build

FROM node:24-slim AS dependencies
WORKDIR /src
COPY package.json package-lock.json ./
# Optional packages are companions of libraries, such as a bundler and a test runner, and one of our own: for models of a store's own, 140 MB.
# docker build --build-arg ONNX=1
ARG ONNX=0
RUN if [ "$ONNX" = 1 ]; then npm ci --omit=dev --no-audit --no-fund; else npm ci --omit=dev --omit=optional --no-audit --no-fund; fi

FROM node:24-slim
# The worker's native core reads the system's certificates; slim images have none. The newest ones, always:
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
COPY --from=dependencies /src/node_modules ./node_modules
COPY --from=build /src/dist ./dist
COPY package.json LICENSE ./
COPY deploy/health.mjs ./deploy/health.mjs
# node, by its number: Kubernetes asks for one before it believes that this is not root.
USER 1000
EXPOSE 3000
# For the API. A worker has METRICS_PORT and asks there (docker-compose.yml).
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 CMD ["node", "deploy/health.mjs", "http://127.0.0.1:3000/readyz"]
CMD ["node", "--enable-source-maps", "dist/api/server.js"]
