"""Exercise 07-1: which of six orders a pattern matches."""

from helpers.exercises import check

# Q has no coupon to look at, R's amount is text, S has another case, and U's 100 is not below 100.
# P's empty text is a value; of T's two coupons, one is something other than SUMMER-10.
matching = ["P", "T"]

check("07-1", matching)
