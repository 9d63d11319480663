"""Protocol Buffers as k6/net/grpc needs them: .proto files, descriptors, and messages as JSON.

Nothing here knows gRPC, sockets or scripts. The package protobuf (the extra `grpc`) keeps descriptors
and messages. The compiler of .proto files (`compiler`) and the JSON mapping (`json_decoder`,
`json_encoder`) are ours, because scripts see their error texts. Only a script that imports k6/net/grpc
imports this package.
"""
