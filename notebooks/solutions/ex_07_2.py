"""Exercise 07-2: for each of three patterns that are nearly right, an order that proves it wrong."""

from helpers.exercises import check

orders = {
    "A": {"Item": "teapot", "Amount": 50, "IsMember": True},  # exactly the bound
    "B": {"Item": "iced-tea", "Amount": 60, "IsMember": True},  # tea, but not at the beginning
    "C": {"Item": "teapot", "Amount": 60, "IsMember": False},  # false is no text, so it is anything but "false"
}

check("07-2", orders)
