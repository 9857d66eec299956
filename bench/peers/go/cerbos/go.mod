module grantproof/bench/cerbos

go 1.26.4

replace buf.build/go/protovalidate => github.com/cerbos/protovalidate-go v0.0.0-20260615200145-16b6d024eb17

tool github.com/cerbos/cerbos/cmd/cerbos

require github.com/cerbos/cerbos v0.55.0
