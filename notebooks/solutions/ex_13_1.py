"""Exercise 13-1: which changes of a template are made in place, which replace, and which nobody notices."""

from helpers.exercises import check

prediction = {
    "A": "in place",
    "B": "in place",
    "C": "replaced",  # nothing can be renamed, only made anew
    "D": "untouched",  # a comment describes no resource
    "E": "untouched",  # the text is the same, and CloudFormation does not look into the bucket
    "F": "replaced",
    "orders after F": 0,  # the new table is empty, and the old one is deleted in the cleanup
    "along with F": ["Role", "Function"],  # !GetAtt Table.Arn in a policy, !Ref Table in a variable
}

check("13-1", prediction)
