"""Exercise 07-3: a pattern for members' orders over 100, and nothing else."""

from helpers.exercises import check

pattern = {
    "source": ["microservice_x"],
    "detail-type": ["OrderPlaced", "microservice_x_test_event"],
    "detail": {
        "body": {
            "OrderId": [{"exists": True}],
            "IsMember": [True],
            "Amount": [{"numeric": [">", 100]}],
        }
    },
}

check("07-3", pattern)
