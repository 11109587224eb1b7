"""Run by the environment that has the SAM translator: a template on stdin, CloudFormation on stdout."""

import json
import sys

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

print(json.dumps(Translator({}, Parser()).translate(json.load(sys.stdin), {})))
