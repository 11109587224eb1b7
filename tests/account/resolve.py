"""What CloudFormation makes of the template's intrinsic functions, as far as the template uses them.

Source: CloudFormation User Guide, "Intrinsic function reference". Under AWS::LanguageExtensions a
comparison with a number is never true (aws-cloudformation/cfn-language-discussion, issue 153): every
parameter arrives as text.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

NO_VALUE = object()
STACK_NAME = "keyturn"


@dataclass(frozen=True)
class Deployment:
    """A template with the parameters and the place that it is deployed with."""

    template: Mapping[str, Any]
    parameters: Mapping[str, str] = field(default_factory=dict)
    stack: str = STACK_NAME
    region: str = "ap-southeast-2"
    partition: str = "aws"
    attributes: Mapping[str, str] = field(default_factory=dict)

    def resolve(self, node: Any) -> Any:
        """The value of a property; what only AWS knows is its name in angle brackets."""
        match node:
            case {"Ref": "AWS::NoValue"}:
                return NO_VALUE
            case {"Ref": str(name)}:
                return self._named(name)
            case {"Fn::GetAtt": [*path]}:
                return self._named(".".join(path))
            case dict() if len(node) == 1 and (intrinsic := _INTRINSIC.get(next(iter(node)))):
                return intrinsic(self, next(iter(node.values())))
            case dict():
                resolved = {name: self.resolve(part) for name, part in node.items()}
                return {name: part for name, part in resolved.items() if part is not NO_VALUE}
            case list():
                items = [self.resolve(part) for part in node]
                return [item for item in items if item is not NO_VALUE]
        return node

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template is true."""
        return bool(self.resolve(self.template["Conditions"][condition]))

    def resources(self, kind: str) -> dict[str, Any]:
        """The properties of every resource of this type that is created."""
        return {
            name: self.resolve(resource.get("Properties", {}))
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == kind
            and ("Condition" not in resource or self.holds(resource["Condition"]))
        }

    def refusals(self) -> list[str]:
        """What the template's Rules say against these parameters in this place."""
        return [
            assertion["AssertDescription"]
            for rule in self.template.get("Rules", {}).values()
            for assertion in rule["Assertions"]
            if not self.resolve(assertion["Assert"])
        ]

    def substitute(self, text: str, own: Mapping[str, Any]) -> str:
        """What Fn::Sub makes of a text; `own` are the names that it brings along."""

        def value(match: re.Match[str]) -> str:
            return str(own[match[1]] if match[1] in own else self._named(match[1]))

        return re.sub(r"\$\{([\w:.]+)\}", value, text)

    def _named(self, name: str) -> str:
        stack = f"stack/{self.stack}/{uuid5(NAMESPACE_URL, self.region + self.stack)}"
        known = {
            "AWS::StackName": self.stack,
            "AWS::Region": self.region,
            "AWS::Partition": self.partition,
            "AWS::AccountId": "123456789012",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackId": f"arn:aws:cloudformation:{self.region}:123456789012:{stack}",
            **self.attributes,
        }
        if name in known:
            return known[name]
        if name in self.template["Parameters"]:
            default = self.template["Parameters"][name].get("Default", "")
            return str(self.parameters.get(name, default))
        return f"<{name}>"


def _if(deployment: Deployment, parts: Any) -> Any:
    condition, then, otherwise = parts
    return deployment.resolve(then if deployment.holds(condition) else otherwise)


def _sub(deployment: Deployment, parts: Any) -> str:
    if isinstance(parts, str):
        return deployment.substitute(parts, {})
    text, own = parts
    return deployment.substitute(text, deployment.resolve(own))


def _equals(deployment: Deployment, parts: Any) -> bool:
    left, right = deployment.resolve(parts)
    return isinstance(left, str) and isinstance(right, str) and left == right


_INTRINSIC: Mapping[str, Callable[[Deployment, Any], Any]] = {
    "Fn::If": _if,
    "Fn::Sub": _sub,
    "Fn::Equals": _equals,
    "Fn::Join": lambda deployment, parts: parts[0].join(map(str, deployment.resolve(parts[1]))),
    "Fn::Select": lambda deployment, parts: deployment.resolve(parts[1])[int(parts[0])],
    "Fn::Split": lambda deployment, parts: deployment.resolve(parts[1]).split(parts[0]),
    "Fn::Not": lambda deployment, parts: not deployment.resolve(parts[0]),
    "Fn::And": lambda deployment, parts: all(deployment.resolve(parts)),
    "Fn::Or": lambda deployment, parts: any(deployment.resolve(parts)),
}


def dependencies(template: Mapping[str, Any], resource: str) -> set[str]:
    """The resources that are created before this one, and deleted after it."""
    before: set[str] = set()
    waiting = [resource]
    while waiting:
        for name in _named_in(template, template["Resources"][waiting.pop()]):
            if name not in before:
                before.add(name)
                waiting.append(name)
    return before


def _named_in(template: Mapping[str, Any], node: Any) -> set[str]:
    names: set[str] = set()
    match node:
        case {"DependsOn": depends_on, **rest}:
            names |= set([depends_on] if isinstance(depends_on, str) else depends_on)
            names |= _named_in(template, rest)
        case {"Ref": str(name)}:
            names.add(name)
        case {"Fn::GetAtt": [str(name), *_]}:
            names.add(name)
        case {"Fn::Sub": text}:
            own = text if isinstance(text, str) else text[0]
            names |= {name.partition(".")[0] for name in re.findall(r"\$\{([\w:.]+)\}", own)}
            names |= set() if isinstance(text, str) else _named_in(template, text[1])
        case dict():
            names = {name for part in node.values() for name in _named_in(template, part)}
        case list():
            names = {name for part in node for name in _named_in(template, part)}
    return names & template["Resources"].keys()
