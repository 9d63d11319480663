"""k6/net/grpc."""
