"""Amazon SQS: moto's, with queues that stay quick, keep their messages on disk, and have policies."""
