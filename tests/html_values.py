"""Values of expressions of k6/html."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jsrunner.messages.protocol import Log
from jsrunner.script.script import ScriptBundle
from jsrunner.secrets.sources import SecretSources
from jsrunner.worker.process import Process
from jsrunner.worker.vus import new_vu

if TYPE_CHECKING:
    from jsrunner.worker.vu import VU

PAGE = """<html lang="en"><head><title>T</title></head><body><h1 id="top">Head</h1>
<ul id="u"><li id="a" class="x">1</li><li id="b">2</li><li id="c" class="x">3<b>!</b></li></ul>
<p id="p">text</p><a id="l" href="/x">link</a></body></html>"""


def start(source: str) -> tuple[VU, list[str]]:
    """A VU that has run its init code, and what this has logged."""
    said: list[object] = []
    process = Process(
        ScriptBundle("script.js", source=source),
        environment={},
        secrets=SecretSources({}),
        send=said.append,
    )
    vu = new_vu(process, 0)
    return vu, [message.text for message in said if isinstance(message, Log)]


def values(*expressions: str, page: str = PAGE) -> list[Any]:
    """The values of expressions in `doc`; of those that throw the exception's text."""
    _, logged = start(
        f"""import {{ parseHTML }} from 'k6/html';
        const doc = parseHTML({json.dumps(page)});
        const ids = (selection) => selection.map((i, one) => one.attr('id')
          ?? one.get(0).nodeName()).join(' ');
        const read = (get) => {{
          try {{
            const value = get();
            return value === undefined ? 'undefined' : value;
          }} catch (error) {{
            return `${{error}}`;
          }}
        }};
        for (const get of [{", ".join(f"() => ({one})" for one in expressions)}]) {{
          console.log(JSON.stringify(read(get)));
        }}"""
    )
    return [json.loads(one) for one in logged]


def value(expression: str, page: str = PAGE) -> Any:
    return values(expression, page=page)[0]


FORM = """<form id=f name=fn action="send?x" method=post enctype=text/plain><label id=w>W
<input id=i name=i value="a &amp; b"></label><input id=e><input id=c1 type=checkbox name=c1 checked>
<input id=c2 type=checkbox name=c2 checked=checked><input type=radio name=r value=1>
<input type=radio name=r value=2 checked=checked><input type=submit name=s value=S>
<input name=d disabled=disabled value=D><input name=d2 disabled value=D2>
<button id=b name=b formaction=other formmethod=POST>B<i>!</i></button>
<textarea id=t name=t>x &lt; y</textarea>
<select id=s1 name=s1><option>one</option><option id=o value=2 selected>two</option></select>
<select id=s2 name=s2 multiple><optgroup disabled><option selected>x</option></optgroup>
<option selected value=y></option></select><select id=s3 name=s3><option>no</option></select>
<fieldset id=fs disabled><legend id=lg>L</legend></fieldset><output id=out name=out>42</output>
<meter id=m min=1 max=x></meter><progress id=pr value=3 max=4></progress><progress id=pr2>
</progress></form>
<label id=l for=i>L</label><input id=far form=f list=dl type=url><button id=alone></button>
<datalist id=dl><option id=d1 label=lab>one</option></datalist>"""
