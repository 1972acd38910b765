"""What is inside the container image (`deploy/Dockerfile`): its entry point and its health check."""
