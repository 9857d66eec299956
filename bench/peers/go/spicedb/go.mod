module grantproof/bench/spicedb

go 1.25

replace github.com/envoyproxy/go-control-plane => github.com/envoyproxy/go-control-plane v0.13.2

replace github.com/fsnotify/fsnotify => github.com/fsnotify/fsnotify v1.9.0

replace github.com/influxdata/tdigest => github.com/hdrodz/tdigest v0.0.0-20230422191729-3d4528d8cfec

tool github.com/authzed/spicedb/cmd/spicedb

require github.com/authzed/spicedb v1.45.0
