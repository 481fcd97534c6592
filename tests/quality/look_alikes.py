"""What is often taken for personal data and is not: ids, versions, times, prices, names of code, and
numbers that stand beside words which elsewhere tell a telephone or a secret.
"""

from __future__ import annotations

import base64
import hashlib
import random
import string
import uuid
from typing import Callable

from faker import Faker

Make = Callable[[Faker, random.Random], str]


def chars(dice: random.Random, count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(dice.choice(alphabet) for _ in range(count))


def digits(dice: random.Random, count: int) -> str:
    return str(dice.randrange(1, 10)) + "".join(dice.choice(string.digits) for _ in range(count - 1))


def luhn_holds(number: str) -> bool:
    total = 0
    for index, c in enumerate(reversed(number)):
        value = int(c) * (2 if index % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def not_a_card(fake: Faker, dice: random.Random) -> str:
    number = "4" + digits(dice, 15)
    while luhn_holds(number):
        number = "4" + digits(dice, 15)
    return number


def not_a_short_card(fake: Faker, dice: random.Random) -> str:
    number = dice.choice(("1800", "2131")) + digits(dice, 11)
    while luhn_holds(number):
        number = number[:4] + digits(dice, 11)
    return number


def not_an_iban(fake: Faker, dice: random.Random) -> str:
    number = "DE" + digits(dice, 20)
    return number if int(number[4:] + "1314" + number[2:4]) % 97 != 1 else number[:-1] + "x"


LOOK_ALIKES: dict[str, Make] = {
    "order number": lambda f, d: f"ORD-{d.randrange(10**6, 10**8)}",
    "order number in groups": lambda f, d: f"{digits(d, 3)}-{digits(d, 7)}-{digits(d, 7)}",
    "invoice": lambda f, d: f"INV-2026-{d.randrange(10**4, 10**6)}",
    "bare id of nine digits": lambda f, d: digits(d, 9),
    "bare id of ten digits": lambda f, d: digits(d, 10),
    "snowflake": lambda f, d: digits(d, 18),
    "sixteen digits without Luhn": not_a_card,
    "IBAN without its checksum": not_an_iban,
    "UUID": lambda f, d: str(uuid.UUID(int=d.getrandbits(128), version=4)),
    "SHA-256": lambda f, d: hashlib.sha256(d.randbytes(8)).hexdigest(),
    "git commit": lambda f, d: hashlib.sha1(d.randbytes(8)).hexdigest(),
    "trace id": lambda f, d: d.randbytes(16).hex(),
    "timestamp": lambda f, d: f.date_time().isoformat() + "Z",
    "epoch seconds": lambda f, d: str(d.randrange(1_500_000_000, 1_800_000_000)),
    "epoch milliseconds": lambda f, d: str(d.randrange(1_500_000_000_000, 1_800_000_000_000)),
    "epoch nanoseconds": lambda f, d: str(d.randrange(15 * 10**17, 18 * 10**17)),
    "date and time": lambda f, d: f.date_time().strftime("%Y-%m-%d %H:%M:%S"),
    "date with dots": lambda f, d: f.date_time().strftime("%d.%m.%Y"),
    "price": lambda f, d: f"${d.randrange(1, 10**6):,}.{d.randrange(100):02}",
    "price in euro": lambda f, d: f"{d.randrange(1, 999)}.{d.randrange(100, 999)},{d.randrange(10, 99)} €",
    "semantic version": lambda f, d: f"v{d.randrange(20)}.{d.randrange(40)}.{d.randrange(100)}",
    "version of four parts": lambda f, d: f"version {d.randrange(1, 20)}.{d.randrange(9)}.{d.randrange(9)}.{d.randrange(9)}",
    "Chrome version": lambda f, d: f"Chrome/{d.randrange(90, 140)}.0.{d.randrange(1000, 9999)}.{d.randrange(10, 200)}",
    "package at version": lambda f, d: f"left-pad@{d.randrange(9)}.{d.randrange(9)}.{d.randrange(9)}",
    "scoped package": lambda f, d: f"@types/node@{d.randrange(9, 30)}.1.0",
    "handle": lambda f, d: f"@{f.user_name()}",
    "time of day": lambda f, d: f.time(),
    "duration": lambda f, d: f"{d.randrange(1, 60)}:{d.randrange(10, 60)}.{d.randrange(100, 999)}",
    "coordinates": lambda f, d: f"{f.latitude()}, {f.longitude()}",
    "decimal fraction": lambda f, d: f"0.{digits(d, 16)}",
    "model name": lambda f, d: d.choice(("gpt-4.1-2025-04-14", "claude-opus-4-20250514", "o3-mini-2025-01-31")),
    "tool call id": lambda f, d: "toolu_01" + chars(d, 22),
    "OpenAI call id": lambda f, d: "call_" + chars(d, 24),
    "response id": lambda f, d: "chatcmpl-" + chars(d, 29),
    "ISBN": lambda f, d: f.isbn13(),
    "EAN": lambda f, d: "EAN " + f.ean13(),
    "pod name": lambda f, d: f"checkout-{chars(d, 9, '0123456789abcdef')}-{chars(d, 5, string.ascii_lowercase)}",
    "container image": lambda f, d: f"registry.example.com:5000/app:1.{d.randrange(90)}",
    "file and line": lambda f, d: f"src/{f.word()}.cc:{d.randrange(1, 900)}:{d.randrange(1, 90)}",
    "C++ name": lambda f, d: f"std::{f.word()}::{f.word()}",
    "hex number": lambda f, d: f"0x{d.getrandbits(48):012x}",
    "number with separators": lambda f, d: f"{d.randrange(10**9, 10**12):,}",
    "range of pages": lambda f, d: f"pp. {d.randrange(100, 400)}-{d.randrange(401, 999)}",
    "tracking number": lambda f, d: "1Z" + chars(d, 16, string.ascii_uppercase + string.digits),
    "part number": lambda f, d: f"{digits(d, 3)}-{digits(d, 2)}-{digits(d, 3)}",
    "ticket": lambda f, d: f"JIRA-{d.randrange(1, 99999)}",
    "loopback": lambda f, d: "127.0.0.1",
    "any address": lambda f, d: "0.0.0.0",
    "URL with a port": lambda f, d: f"https://{f.domain_name()}:8443/{f.uri_path()}",
    "placeholder password": lambda f, d: d.choice(("password=${DB_PASSWORD}", "password: ***", "api_key=null")),
    "prose about secrets": lambda f, d: d.choice(("the bearer of this letter", "a basic question", "token budget: 4096", "max_tokens=4096")),
    "other placeholders": lambda f, d: d.choice((
        "password: none.", "passwd=xxxxxxxx", "token=<your token>", "secret: ${{ secrets.TOKEN }}",
        "password: ****, then", "--password $DB_PASSWORD", "--password-stdin", "api_key: string")),
    "option without a value": lambda f, d: d.choice((
        "use --password to log in", "pass --token or --api-key", "--max-tokens 4096",
        "--token-file /run/secrets/token-2026", "--private-key ~/.ssh/id_ed25519_of_2026")),
    "mobile build": lambda f, d: f"mobile build {d.randrange(10**8, 10**10)}",
    "order of a phone": lambda f, d: f"phone order {d.randrange(10**9, 10**10)}",
    "day beside phone": lambda f, d: f"by phone on {f.date()} 10:{d.randrange(10, 60)}",
    "account beside mobile": lambda f, d: f'"type":"mobile","account":{d.randrange(10**9, 10**10)}',
    "digits in brackets": lambda f, d: f"({d.randrange(1000, 3000)}) {digits(d, 8)}",
    "call with numbers": lambda f, d: f"f(0{d.randrange(10, 99)}, {d.randrange(10**5, 10**6)})",
    "table row": lambda f, d: " ".join(str(d.randrange(100, 999)) for _ in range(4)),
    "assembly": lambda f, d: f"Version={d.randrange(1, 9)}.0.{d.randrange(9)}.0, Culture=neutral",
    "release of four parts": lambda f, d: f"release {d.randrange(1, 20)}.{d.randrange(9)}.{d.randrange(9)}.{d.randrange(9)}",
    "firmware": lambda f, d: f'"fw_version": "{d.randrange(1, 9)}.{d.randrange(9)}.{d.randrange(30)}.{d.randrange(9)}"',
    "section": lambda f, d: f"section {d.randrange(1, 9)}.{d.randrange(1, 9)}.{d.randrange(1, 9)}.{d.randrange(1, 9)}",
    "object identifier": lambda f, d: f"1.3.6.1.4.1.{d.randrange(9000)}",
    "fingerprint": lambda f, d: ":".join(f"{byte:02x}" for byte in d.randbytes(16)),
    "ZIP code": lambda f, d: f"{f.city()}, {f.state_abbr()} 0{digits(d, 4)}-{digits(d, 4)}",
    "slice": lambda f, d: f"x[{d.randrange(1, 20)}::{d.randrange(2, 20)}]",
    "dump": lambda f, d: d.randbytes(16).hex(" "),
    "signed fraction": lambda f, d: f"+{d.randrange(10)}.{digits(d, 8)}",
    "annotation": lambda f, d: d.choice(("password: Optional[str]", "password: The one of the user")),
    "Rust path": lambda f, d: f"crate::{f.word()}::a{d.randrange(10)}",
    "digest": lambda f, d: f"sha256:{hashlib.sha256(d.randbytes(8)).hexdigest()}",
    "fifteen digits without Luhn": not_a_short_card,
    "account id alone": lambda f, d: "AC" + d.randbytes(16).hex(),
    "task id": lambda f, d: f"task_{chars(d, 24)}",
    "slug": lambda f, d: "-".join(f.words(6)),
    "snake case": lambda f, d: "secret_" + "_".join(f.words(5)),
    "channel": lambda f, d: f"https://discord.com/channels/{digits(d, 18)}/{digits(d, 19)}",
    "base64 picture": lambda f, d: "data:image/png;base64,iVBORw0KGgo" + base64.b64encode(d.randbytes(48)).decode(),
    "ETag": lambda f, d: f'ETag: "{d.randbytes(16).hex()}"',
}
