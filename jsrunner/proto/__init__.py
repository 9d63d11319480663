"""Protocol Buffers as k6/net/grpc needs them: .proto files, descriptors, and messages as JSON.

This package knows neither gRPC nor sockets nor scripts. The package protobuf (the extra `grpc`) keeps
descriptors and messages. jsrunner has its own compiler of .proto files (`compiler`) and JSON mapping
(`json_decoder`, `json_encoder`), because scripts see their error texts. Only a script that imports
k6/net/grpc imports this package.
"""
