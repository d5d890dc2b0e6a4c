"""Exercise 10-1: how often each of five services runs for one order, and which of them could hear itself."""

from helpers.exercises import check

on_the_bus = ["OrderPlaced", "OrderStored", "LabelPrinted", "PointsBooked"]

prediction = {
    "store": 1,
    "labels": 1,
    "points": 1,
    "mail": 2,  # one run for each of the last two
    "census": len(on_the_bus),  # all of them have an order in them
    "deployed for census": 0,
    "a loop": "census",  # its pattern asks neither who nor what, so it fits its own announcement
}

check("10-1", prediction)
