"""Amazon S3: moto's, with the contents of objects on disk."""
