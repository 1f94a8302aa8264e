"""How pretrained/manifest.json is written: its models by scripts/make-pretrained, its `official` files by make-goldens."""

import json


def read(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write(path, manifest):
    """Writes a manifest, each official file on a line of its own."""
    official = manifest.get("official")
    body = json.dumps({key: value for key, value in manifest.items() if key != "official"}, indent=2, ensure_ascii=False)
    if official is not None:
        lines = ",\n".join(f"    {json.dumps(record)}" for record in official)
        body = f'{body[:-2]},\n  "official": [\n{lines}\n  ]\n}}'
    path.write_text(body + "\n", encoding="utf-8")
