"""Read a template's blocks, and check what must be right before anything is looked up in the account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from . import yaml_text
from .errors import Refused, invalid_template
from .references import PSEUDO_PARAMETERS, Reference, references

#: Bytes of a template that is sent with the request:
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
LARGEST_BODY = 51_200

_BLOCKS = {
    "AWSTemplateFormatVersion", "Conditions", "Description", "Hooks", "Mappings", "Metadata", "Outputs", "Parameters",
    "Resources", "Rules", "Transform",
}  # fmt: skip
_OF_A_RESOURCE = {
    "Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type", "UpdatePolicy",
    "UpdateReplacePolicy",
}  # fmt: skip
_DELETION_POLICIES = {"Delete", "Retain", "RetainExceptOnCreate"}


@dataclass(frozen=True)
class Template:
    """A template that has been read and checked. `body` is its text as sent."""

    body: str
    content: dict[str, Any]

    def block(self, name: str) -> dict[str, Any]:
        return self.content.get(name) or {}

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        return self.content["Resources"]

    @property
    def description(self) -> str | None:
        return self.content.get("Description")


def read(body: str) -> Template:
    """Read a template's text. Raises Refused."""
    content = yaml_text.parse(body)
    if not isinstance(content, dict):
        raise invalid_template("unsupported structure.")
    _check_blocks(content)
    for name, resource in content["Resources"].items():
        _check_resource(name, resource)
    _check_parameters_and_outputs(content)
    _check_types({resource["Type"] for resource in content["Resources"].values()})
    template = Template(body, content)
    _check_references(template)
    return template


def _check_blocks(content: dict[str, Any]) -> None:
    unknown = [name for name in content if name not in _BLOCKS]
    if unknown:
        raise Refused(f"Invalid template property or properties [{', '.join(unknown)}]")
    if content.get("AWSTemplateFormatVersion", "2010-09-09") != "2010-09-09":
        raise invalid_template("unsupported value for AWSTemplateFormatVersion.")
    for name in ("Transform", "Hooks", "Rules"):
        if name in content:
            raise Refused(f"The embedded AWS does not process the section {name} of a template.")
    if not content.get("Resources"):
        raise invalid_template("At least one Resources member must be defined.")
    for name in _BLOCKS - {"AWSTemplateFormatVersion", "Description"}:
        if not isinstance(content.get(name, {}), dict):
            raise invalid_template(f"[/{name}] map expected")
    for name in ("Resources", "Parameters", "Conditions", "Outputs"):
        for each in content.get(name, {}):
            if not each.isalnum():
                raise invalid_template(f"{name[:-1]} name {each} is non alphanumeric.")


def _check_resource(name: str, resource: Any) -> None:
    if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
        raise invalid_template(f"[/Resources/{name}] Every Resources object must contain a Type member.")
    for attribute in resource:
        if attribute not in _OF_A_RESOURCE:
            raise Refused(f"Invalid template resource property '{attribute}'")
    for attribute in ("DeletionPolicy", "UpdateReplacePolicy"):
        policy = resource.get(attribute, "Delete")
        if policy not in _DELETION_POLICIES or (policy, attribute) == ("RetainExceptOnCreate", "UpdateReplacePolicy"):
            raise Refused(f"Template error: Unrecognized {attribute} {policy} for resource {name}")
    if not isinstance(resource.get("Properties", {}), dict):
        raise invalid_template(f"[/Resources/{name}/Properties] 'null' or a map expected")


def _check_parameters_and_outputs(content: dict[str, Any]) -> None:
    for name, rules in content.get("Parameters", {}).items():
        if not isinstance(rules, dict) or not isinstance(rules.get("Type"), str):
            raise invalid_template(f"[/Parameters/{name}] Every Parameters object must contain a Type member.")
        if not isinstance(rules.get("AllowedValues", []), list):
            raise invalid_template(f"[/Parameters/{name}/AllowedValues] list expected")
    for name, output in content.get("Outputs", {}).items():
        if not isinstance(output, dict) or "Value" not in output:
            raise invalid_template(f"[/Outputs/{name}] Every Outputs member must contain a Value object")
        if not isinstance(output.get("Export", {}), dict):
            raise invalid_template(f"[/Outputs/{name}/Export] map expected")


def _check_types(types: Iterable[str]) -> None:
    from .resource_types import KNOWN

    unknown = sorted(name for name in types if name not in KNOWN)
    if unknown:
        known = ", ".join(sorted(KNOWN))
        message = f"Unrecognized resource types: [{', '.join(unknown)}]."
        raise invalid_template(f"{message} (The embedded AWS knows: {known}.)")


def _check_references(template: Template) -> None:
    """Whatever the template refers to is in the template, in all branches of its conditions."""
    parameters, conditions = template.block("Parameters"), template.block("Conditions")
    for block in ("Resources", "Outputs"):
        unresolved = set()
        for found in references(template.block(block)):
            _check_attribute(template, found)
            if found.attribute is None and found.name not in {*template.resources, *parameters, *PSEUDO_PARAMETERS}:
                unresolved.add(found.name)
        for entry in template.block(block).values():
            unresolved |= {name for name in depends_on(entry) if name not in template.resources}
        if unresolved:
            names = ", ".join(sorted(unresolved))
            raise invalid_template(f"Unresolved resource dependencies [{names}] in the {block} block of the template")
        for name in _conditions_used(template.block(block)):
            if name not in conditions:
                raise invalid_template(f"Unresolved condition dependency {name} in the {block} block of the template")
    for found in references(conditions):
        if found.attribute is not None or found.name not in {*parameters, *PSEUDO_PARAMETERS}:
            raise invalid_template(
                f"Unresolved dependencies [{found.name}]. "
                "Cannot reference resources in the Conditions block of the template"
            )


def _check_attribute(template: Template, found: Reference) -> None:
    from .resource_types import KNOWN

    if found.attribute is None:
        return
    if found.name not in template.resources:
        raise Refused(f"Template error: instance of {found.function} references undefined resource {found.name}")
    if found.attribute not in KNOWN[template.resources[found.name]["Type"]].attributes:
        raise Refused(
            f"Template error: resource {found.name} does not support attribute type {found.attribute} in Fn::GetAtt"
        )


def depends_on(resource: dict[str, Any]) -> list[str]:
    """Return the names in DependsOn, which may be one or a list. Raises Refused for anything else."""
    names = resource.get("DependsOn", [])
    names = names if isinstance(names, list) else [names]
    if not all(isinstance(name, str) for name in names):
        raise invalid_template("Every DependsOn value must be a string or a list of strings.")
    return names


def _conditions_used(block: Any) -> Iterable[str]:
    """Names of conditions: those of whole resources and outputs, and the first argument of each Fn::If."""
    for entry in block.values():
        if isinstance(entry, dict) and isinstance(entry.get("Condition"), str):
            yield entry["Condition"]
    yield from _ifs(block)


def _ifs(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        choice = value.get("Fn::If")
        if isinstance(choice, list) and choice:
            if not isinstance(choice[0], str):
                raise Refused(
                    "Template error: Fn::If requires a list argument with the first element being a condition"
                )
            yield choice[0]
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _ifs(each)
