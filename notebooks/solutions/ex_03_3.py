"""Exercise 03-3: a function that says whether its environment is new."""

import io
import zipfile

import boto3

from helpers.exercises import check

lambda_client = boto3.client("lambda")
role_arn = boto3.client("iam").get_role(RoleName="microservice-role")["Role"]["Arn"]
name = "exercise-thermometer"

code = """
start = "cold"  # module level: what every new environment begins with

def lambda_handler(event, context):
    global start
    found, start = start, "warm"
    return {"start": found}
"""

entry = zipfile.ZipInfo("handler.py", date_time=(2026, 1, 1, 0, 0, 0))
entry.create_system = 3
entry.external_attr = 0o644 << 16
buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w") as archive:
    archive.writestr(entry, code)

try:
    lambda_client.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role_arn,
        Handler="handler.lambda_handler",
        Code={"ZipFile": buffer.getvalue()},
    )
except lambda_client.exceptions.ResourceConflictException:  # it is there from an earlier try
    lambda_client.update_function_code(FunctionName=name, ZipFile=buffer.getvalue())
lambda_client.get_waiter("function_active_v2").wait(FunctionName=name)
lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name)

check("03-3")
