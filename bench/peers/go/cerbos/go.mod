module grantproof/bench/cerbos

go 1.25

tool github.com/cerbos/cerbos/cmd/cerbos

require github.com/cerbos/cerbos v0.50.0
exclude google.golang.org/grpc/stats/opentelemetry v0.0.0-20240907200651-3ffb98b2c93a
