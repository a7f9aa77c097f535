"""Text of a plan is data: no name in it ends a comment, or becomes a key, a word or a command of what is exported."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from itertools import takewhile

import pytest
import yaml
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from ftplan.exports import given, load, names, render
from ftplan.text import acts
from tests.exports.test_exports import JOB

#: what ends a line, a quote or a comment somewhere, among any other text
ACTING = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from("\n\r\t\x00\x0b\x1b\x85\u2028'\"`$#;:\\ {}[]|&-"))
)
every_trainer = pytest.mark.parametrize("name", names())


@every_trainer
@drawn(plan=ACTING, model=ACTING, path=ACTING, file=ACTING, column=ACTING)
@settings(max_examples=30, deadline=None)
def test_a_name_is_only_a_name(name: str, plan: str, model: str, path: str, file: str, column: str) -> None:
    trainer = load(name)
    harmless = given(trainer, replace(JOB, model="own", plan_file="p.yaml"))
    job = replace(JOB, plan=plan, model=model, model_path=f"hub/{model}", plan_file=path, columns={"messages": column})
    job = given(trainer, job)
    text, plain = render(trainer, job, file), render(trainer, harmless, "sft.yaml")
    comment = list(takewhile(lambda line: line.startswith("#"), text.split("\n")))
    assert len(comment) == sum(line.startswith("#") for line in plain.split("\n")), "the comment is as long as ever"
    assert not any(map(acts, comment))
    rest = text.split("\n", len(comment))[-1]
    if name == "torchtune":
        words = shlex.split(rest.replace("\\\n", ""))
        assert words[:2] == ["tune", "run"]
        assert len(words) == len(shlex.split(plain.split("\n", len(comment))[-1].replace("\\\n", "")))
    else:
        assert yaml.safe_load(rest) == trainer.config(job)
    for entries in trainer.companions(job).values():
        assert json.loads(json.dumps(entries)) == entries
