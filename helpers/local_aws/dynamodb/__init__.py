"""Amazon DynamoDB: moto's, with items on disk, and quicker and more exact where that matters."""
