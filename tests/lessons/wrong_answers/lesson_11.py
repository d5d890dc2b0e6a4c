"""What learners get wrong in lesson 11."""

from __future__ import annotations

import json

import boto3

from tests.lessons.wrong_answers import secrets, undo, wrong_answer

# --- 11-1 ---

secrets("11-1", "allowed", "implicit deny", "explicit deny")

RIGHT = {
    "PutItem on orders": "allowed",
    "PutItem on orders in eu-west-1": "implicit deny",
    "Scan on orders": "implicit deny",
    "Query on orders/index/by-item": "allowed",
    "DeleteItem on orders": "explicit deny",
    "DeleteTable on drafts": "explicit deny",
}


def predicted(**changes: str) -> tuple[dict]:
    """The right prediction, but for the calls that begin with these words."""
    return ({call: changes.get(call.split()[0], word) for call, word in RIGHT.items()},)


@wrong_answer("11-1", "the two ARNs side by side")
def the_region_is_overlooked():
    return (RIGHT | {"PutItem on orders in eu-west-1": "allowed"},)


@wrong_answer("11-1", "below itself")
def the_star_covers_the_table():
    return predicted(Scan="allowed")


@wrong_answer("11-1", "beside its table")
def an_index_belongs_to_the_table():
    return predicted(Query="implicit deny")


@wrong_answer("11-1", "the last word")
def an_allow_outweighs_a_deny():
    return predicted(DeleteItem="allowed")


@wrong_answer("11-1", "DeleteTable on drafts: refused, yes")
def what_is_not_granted_cannot_be_forbidden():
    return predicted(DeleteTable="implicit deny")


@wrong_answer("11-1", "one of the three words")
def yes_and_no():
    return (dict.fromkeys(RIGHT, True),)


# --- 11-2 ---

secrets("11-2", "report-*", "orders/index/by-item", "index/by-item")
TABLES = "arn:aws:dynamodb:us-east-1:123456789012:table/"
ORDERS, INDEX, REPORTS = f"{TABLES}orders", f"{TABLES}orders/index/by-item", f"{TABLES}report-*"


def policy(*pairs: tuple[str | list, str | list]) -> tuple[dict]:
    statements = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in pairs]
    return ({"Version": "2012-10-17", "Statement": statements},)


def three(get=("dynamodb:GetItem", ORDERS), query=("dynamodb:Query", INDEX), put=("dynamodb:PutItem", REPORTS)):
    return policy(get, query, put)


@wrong_answer("11-2", "can delete the table")
def all_actions_on_the_right_tables():
    return policy(("dynamodb:*", [ORDERS, INDEX, REPORTS]))


@wrong_answer("11-2", "other services")
def everything():
    return policy(("*", "*"))


@wrong_answer("11-2", "read tables that are none")
def the_right_actions_on_everything():
    return policy((["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"], "*"))


@wrong_answer("11-2", "keep pairs apart")
def one_statement_for_all():
    return policy((["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"], [ORDERS, INDEX, REPORTS]))


@wrong_answer("11-2", "asks for the index")
def the_query_on_the_table():
    return three(query=("dynamodb:Query", ORDERS))


@wrong_answer("11-2", "indexes that it never uses")
def every_index():
    return three(query=("dynamodb:Query", f"{ORDERS}/index/*"))


@wrong_answer("11-2", "Think of next month")
def one_month():
    return three(put=("dynamodb:PutItem", f"{TABLES}report-2026-09"))


@wrong_answer("11-2", "every name that begins so")
def a_star_behind_orders():
    return three(get=("dynamodb:GetItem", f"{ORDERS}*"))


@wrong_answer("11-2", "more tables than those of the months")
def the_dash_is_forgotten():
    return three(put=("dynamodb:PutItem", f"{TABLES}report*"))


@wrong_answer("11-2", "A star in an action")
def a_star_behind_put():
    return three(put=("dynamodb:Put*", REPORTS))


@wrong_answer("11-2", "also grants UpdateItem")
def one_action_too_many():
    return three(put=(["dynamodb:PutItem", "dynamodb:UpdateItem"], REPORTS))


@wrong_answer("11-2", "the region or the account is not")
def another_region():
    return three(get=("dynamodb:GetItem", ORDERS.replace("us-east-1", "eu-west-1")))


@wrong_answer("11-2", "other regions or accounts")
def any_region():
    return three(get=("dynamodb:GetItem", ORDERS.replace("us-east-1", "*")))


@wrong_answer("11-2", "by its bare name")
def a_name_for_an_arn():
    return three(get=("dynamodb:GetItem", "orders"))


# --- 11-3 ---

secrets("11-3", "exercise-report:*", "lambda.amazonaws.com", "dynamodb:Scan")
ROLE = "exercise-report-role"
FULL, BASIC = (
    f"arn:aws:iam::aws:policy/{name}"
    for name in ("AmazonDynamoDBFullAccess", "service-role/AWSLambdaBasicExecutionRole")
)
LOG_ACTIONS = ["logs:CreateLogStream", "logs:PutLogEvents"]


def make_role(principal: dict | str | None = None, *pairs: tuple, attached: tuple = ()) -> tuple[()]:
    """The role with this principal in its trust policy, and these actions and resources in its own."""
    iam = boto3.client("iam")
    if any(role["RoleName"] == ROLE for role in iam.list_roles()["Roles"]):
        no_role()
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": principal or {"Service": "lambda.amazonaws.com"},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)
    if pairs:
        iam.put_role_policy(RoleName=ROLE, PolicyName="report", PolicyDocument=json.dumps(policy(*pairs)[0]))
    for arn in attached:
        iam.attach_role_policy(RoleName=ROLE, PolicyArn=arn)
    return ()


def table(more: str = "") -> str:
    return boto3.client("dynamodb").describe_table(TableName="sample-table")["Table"]["TableArn"] + more


def group(more: str = ":*") -> str:
    region, account = table().split(":")[3:5]
    return f"arn:aws:logs:{region}:{account}:log-group:/aws/lambda/exercise-report{more}"


@undo("11-3")
def no_role():
    iam = boto3.client("iam")
    for name in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]:
        iam.delete_role_policy(RoleName=ROLE, PolicyName=name)
    for each in iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=ROLE, PolicyArn=each["PolicyArn"])
    iam.delete_role(RoleName=ROLE)


@wrong_answer("11-3", "Whom does its trust policy name")
def the_wrong_service():
    return make_role({"Service": "dynamodb.amazonaws.com"}, ("dynamodb:Scan", table()), (LOG_ACTIONS, group()))


@wrong_answer("11-3", "Others than")
def everybody_may_assume_it():
    return make_role({"Service": ["lambda.amazonaws.com", "events.amazonaws.com"]}, ("dynamodb:Scan", table()))


@wrong_answer("11-3", "it has no policy")
def a_role_without_policies():
    return make_role()


@wrong_answer("11-3", "may not scan the table")
def only_below_the_table():
    return make_role(None, ("dynamodb:Scan", table("/*")), (LOG_ACTIONS, group()))


@wrong_answer("11-3", "leave no log")
def the_group_instead_of_its_streams():
    return make_role(None, ("dynamodb:Scan", table()), (LOG_ACTIONS, group("")))


@wrong_answer("11-3", "change or delete orders")
def full_access():
    return make_role(None, attached=(FULL, BASIC))


@wrong_answer("11-3", "another function, and so forge it")
def logs_of_everybody():
    return make_role(None, ("dynamodb:Scan", table()), attached=(BASIC,))


@wrong_answer("11-3", "more than that one table")
def every_table():
    return make_role(None, ("dynamodb:Scan", "*"), (LOG_ACTIONS, group()))


@wrong_answer("11-3", "cover its tracks")
def every_action_on_its_log():
    return make_role(None, ("dynamodb:Scan", table()), ("logs:*", group()))


@wrong_answer("11-3", "in other ways than a scan")
def all_ways_of_reading():
    return make_role(None, (["dynamodb:Scan", "dynamodb:Query", "dynamodb:GetItem"], table()), (LOG_ACTIONS, group()))
