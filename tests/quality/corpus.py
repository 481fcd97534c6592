"""The labelled corpus: texts in which we know what stands where. Made by Faker in several locales,
with a fixed seed, so that every run judges the same texts; nobody's data.

A text has golds (kind, value) at known places, or none: then it is a look-alike, something that is
often taken for personal data and is not.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import random
import string
import uuid
from typing import Callable

from faker import Faker

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "pt_BR", "ja_JP",
           "hi_IN")

# What has a checksum, a fixed form or a label of its own: what the goals are set for. A phone number
# in its national form has none, and is measured apart.
STRUCTURED = ("email", "phone", "card", "iban", "ssn", "jwt", "bearer", "vendor_keys", "private_key",
              "url_credentials", "connection_string", "ip", "mac", "entropy")
MEASURED = STRUCTURED + ("phone_national",)

SENTENCES = {
    "en": ("My {label} is {value}, please confirm.", "{label}: {value}", "Use {value} for the booking.",
           "The customer wrote: \"{value}\" and left.", "{value}", "see {value} (from the ticket)"),
    "de": ("Meine {label} lautet {value}, danke.", "{label}: {value}", "Bitte {value} verwenden.",
           "Der Kunde schrieb «{value}» und ging."),
    "fr": ("Mon {label} est {value}, merci.", "{label} : {value}", "Veuillez utiliser {value}.",
           "Le client a écrit « {value} » puis est parti."),
    "es": ("Mi {label} es {value}, gracias.", "{label}: {value}", "Use {value}, por favor."),
    "it": ("Il mio {label} è {value}, grazie.", "{label}: {value}", "Usare {value} per favore."),
    "nl": ("Mijn {label} is {value}, bedankt.", "{label}: {value}", "Gebruik {value} alstublieft."),
    "pl": ("Mój {label} to {value}, dziękuję.", "{label}: {value}", "Proszę użyć {value}."),
    "pt": ("Meu {label} é {value}, obrigado.", "{label}: {value}", "Use {value} por favor."),
    "ja": ("私の{label}は {value} です。", "{label}:{value}", "{value} をご確認ください。"),
    "hi": ("मेरा {label} {value} है।", "{label}: {value}", "कृपया {value} का उपयोग करें।"),
}

LABELS = {
    "email": ("e-mail", "email", "contact"), "phone": ("phone", "tel", "mobile"),
    "phone_national": ("phone", "tel", "mobile"), "card": ("card", "card number", "Visa"),
    "iban": ("IBAN", "account"), "ssn": ("SSN", "social security number"),
    "ip": ("address", "client", "host"), "mac": ("device", "MAC"),
}


@dataclasses.dataclass(frozen=True)
class Gold:
    kind: str
    begin: int  # bytes of the text in UTF-8
    end: int


@dataclasses.dataclass(frozen=True)
class Text:
    text: str
    golds: tuple[Gold, ...]
    about: str  # kind and locale, or what look-alike


def make_corpus(per_locale: int, seed: int = 20261121) -> list[Text]:
    """`per_locale`: values of each kind and locale; look-alikes are as many as all values."""
    texts: list[Text] = []
    for number, locale in enumerate(LOCALES):
        fake = Faker(locale)
        fake.seed_instance(seed + number)
        dice = random.Random(seed + number)
        for kind, make in personal_kinds(locale).items():
            for _ in range(per_locale):
                texts.append(placed(kind, make(fake, dice), locale, dice))
    dice = random.Random(seed)
    for kind, make in SECRETS.items():
        for _ in range(per_locale * 5):
            before, value, after = make(dice)
            texts.append(framed(kind, before, value, after, dice))
    alike = list(LOOK_ALIKES.items())
    fake = Faker("en_US")
    fake.seed_instance(seed)
    for number in range(len(texts)):
        about, make = alike[number % len(alike)]
        sentence = dice.choice(("{}", "id {} done", "Result: {}.", "value={}", "({})", "{}, then {}"))
        text = sentence.replace("{}", make(fake, dice), 1).replace("{}", make(fake, dice))
        texts.append(Text(text, (), about))
    return texts


def placed(kind: str, value: str, locale: str, dice: random.Random) -> Text:
    language = locale[:2]
    label = dice.choice(LABELS[kind])
    sentence = dice.choice(SENTENCES[language])
    if kind == "phone_national":
        sentence = dice.choice([s for s in SENTENCES[language] if "{label}" in s])
    before, after = sentence.replace("{label}", label).split("{value}")
    return gold_text(kind, before, value, after, f"{kind} {locale}")


def framed(kind: str, before: str, value: str, after: str, dice: random.Random) -> Text:
    lead, tail = dice.choice((("", ""), ("log: ", " [end]"), ("The agent ran it with ", "\nand left.")))
    return gold_text(kind, lead + before, value, after + tail, kind)


def gold_text(kind: str, before: str, value: str, after: str, about: str) -> Text:
    begin = len(before.encode())
    gold = Gold(kind, begin, begin + len(value.encode()))
    return Text(before + value + after, (gold,), about)


# personal data ---------------------------------------------------------------------------------

Make = Callable[[Faker, random.Random], str]


def personal_kinds(locale: str) -> dict[str, Make]:
    kinds: dict[str, Make] = {
        "email": email, "phone": international_phone, "phone_national": national_phone, "card": card,
        "iban": iban, "ip": ip, "mac": mac,
    }
    if locale == "en_US":
        kinds["ssn"] = ssn
    return kinds


def email(fake: Faker, dice: random.Random) -> str:
    return dice.choice((fake.email, fake.ascii_company_email, fake.safe_email, fake.free_email))()


# Where Faker's locale never writes numbers for callers from abroad, or only so.
COUNTRY_CODES = {"ja_JP": "+81", "en_US": "+1"}
NATIONAL = ("06 12 34 56 78", "(415) 555-0132", "020 7946 0958", "030 1234567")
TRIES = 60


def international_phone(fake: Faker, dice: random.Random) -> str:
    national = ""
    for _ in range(TRIES):
        number = phone(fake)
        if number.startswith("+"):
            return number
        national = number
    code = next(code for locale, code in COUNTRY_CODES.items() if locale in fake.locales)
    return f"{code} {national.lstrip('0')}"


def national_phone(fake: Faker, dice: random.Random) -> str:
    for _ in range(TRIES):
        number = phone(fake)
        if not number.startswith("+"):
            return number
    return dice.choice(NATIONAL)


def phone(fake: Faker) -> str:
    for _ in range(1000):
        number = fake.phone_number().split("x")[0]
        # No exchange has a second leading zero; Faker's formats make some.
        if number.lstrip("(")[:2] != "00" and sum(c.isdigit() for c in number) >= 9:
            return number
    raise AssertionError("this locale has no telephone numbers")


def card(fake: Faker, dice: random.Random) -> str:
    issuer = dice.choice(
        ("visa16", "visa13", "visa19", "mastercard", "amex", "discover", "diners", "jcb16", "jcb15"))
    number = fake.credit_card_number(issuer)
    while issuer == "jcb16" and not 3528 <= int(number[:4]) <= 3589:  # Faker takes all of 35
        number = fake.credit_card_number(issuer)
    if len(number) == 16 and dice.random() < 0.4:
        return dice.choice((" ", "-")).join(number[i:i + 4] for i in range(0, 16, 4))
    if len(number) == 15 and number[0] == "3" and dice.random() < 0.4:
        return f"{number[:4]} {number[4:10]} {number[10:]}"
    return number


def iban(fake: Faker, dice: random.Random) -> str:
    number = fake.iban()
    if dice.random() < 0.4:
        return " ".join(number[i:i + 4] for i in range(0, len(number), 4))
    return number


def ssn(fake: Faker, dice: random.Random) -> str:
    return fake.ssn()


def ip(fake: Faker, dice: random.Random) -> str:
    return fake.ipv6() if dice.random() < 0.3 else fake.ipv4_public()


def mac(fake: Faker, dice: random.Random) -> str:
    address = fake.mac_address()
    return address.upper() if dice.random() < 0.3 else address


# secrets ---------------------------------------------------------------------------------------

ALNUM = string.ascii_letters + string.digits


def chars(dice: random.Random, count: int, alphabet: str = ALNUM) -> str:
    return "".join(dice.choice(alphabet) for _ in range(count))


def coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(dice: random.Random) -> tuple[str, str, str]:
    header = json.dumps({"alg": dice.choice(("HS256", "RS256", "ES256")), "typ": "JWT"})
    claims = json.dumps({"sub": chars(dice, 8), "exp": dice.randrange(10**9, 2 * 10**9)})
    token = ".".join((coded(header.encode()), coded(claims.encode()), coded(dice.randbytes(32))))
    before = dice.choice(("token ", "Authorization: Bearer ", "jwt=", '{"id_token":"', ""))
    return before, token, '"}' if before.startswith("{") else ""


def bearer(dice: random.Random) -> tuple[str, str, str]:
    if dice.random() < 0.3:
        pair = f"{chars(dice, 6, string.ascii_lowercase)}:{chars(dice, 10)}"
        return "Authorization: Basic ", base64.b64encode(pair.encode()).decode(), "\n"
    token = chars(dice, dice.randrange(24, 60), ALNUM + "-_.~")[:-1] + "7"
    return dice.choice(("Authorization: Bearer ", "-H 'authorization: bearer ", "Bearer ")), token, "'"


VENDORS: tuple[Callable[[random.Random], str], ...] = (
    lambda d: "AKIA" + chars(d, 16, string.ascii_uppercase + "234567"),
    lambda d: "ASIA" + chars(d, 16, string.ascii_uppercase + "234567"),
    lambda d: "AIza" + chars(d, 35, ALNUM + "-_"),
    lambda d: "ghp_" + chars(d, 36),
    lambda d: "gho_" + chars(d, 36),
    lambda d: "github_pat_" + chars(d, 22) + "_" + chars(d, 59),
    lambda d: "glpat-" + chars(d, 20, ALNUM + "-_"),
    lambda d: f"xoxb-{d.randrange(10**11, 10**12)}-{d.randrange(10**11, 10**12)}-{chars(d, 24)}",
    lambda d: "sk_live_" + chars(d, 24),
    lambda d: "rk_test_" + chars(d, 24),
    lambda d: "sk-proj-" + chars(d, 48, ALNUM + "-_"),
    lambda d: "sk-" + chars(d, 48),
    lambda d: "sk-ant-api03-" + chars(d, 80, ALNUM + "-_") + "AA",
    lambda d: "hf_" + chars(d, 34),
    lambda d: "npm_" + chars(d, 36),
    lambda d: "pypi-AgEIcHlwaS5vcmc" + chars(d, 120, ALNUM + "-_"),
    lambda d: "SG." + chars(d, 22, ALNUM + "-_") + "." + chars(d, 43, ALNUM + "-_"),
    lambda d: "gsk_" + chars(d, 52),
    lambda d: "dop_v1_" + chars(d, 64, "0123456789abcdef"),
    lambda d: "ya29." + chars(d, 60, ALNUM + "-_"),
)


def vendor_key(dice: random.Random) -> tuple[str, str, str]:
    before = dice.choice(("export KEY=", "key ", "", "'", "found ", "https://api.example.com/?k="))
    return before, dice.choice(VENDORS)(dice).rstrip("-_") + "8", "'" if before == "'" else ""


def private_key(dice: random.Random) -> tuple[str, str, str]:
    label = dice.choice(("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"))
    body = base64.b64encode(dice.randbytes(300)).decode()
    lines = "\n".join(body[i:i + 64] for i in range(0, len(body), 64))
    return "", f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----", "\n"


def url_credentials(dice: random.Random) -> tuple[str, str, str]:
    scheme = dice.choice(("https", "postgres", "redis", "mongodb+srv", "amqp", "ftp", "mysql"))
    user = dice.choice(("", "admin", "svc")) if scheme == "redis" else "svc"
    secret = chars(dice, dice.randrange(6, 20), ALNUM + "!$*+.~-")
    return f"{scheme}://{user}:", secret, "@db.example.com:5432/app?ssl=true"


def connection_string(dice: random.Random) -> tuple[str, str, str]:
    secret = chars(dice, dice.randrange(8, 24), ALNUM + "!#$%*+")
    before, after = dice.choice((
        ("Server=tcp:db.example.com,1433;User ID=app;Password=", ";Encrypt=true;"),
        ("host=db.example.com user=app password=", " sslmode=require"),
        ("Data Source=db;Initial Catalog=app;Uid=app;Pwd=", ";"),
        ('{"user":"app","password":"', '"}'),
        ("export PGPASSWORD=", "\n"),
    ))
    return before, secret, after


def entropy(dice: random.Random) -> tuple[str, str, str]:
    secret = chars(dice, dice.randrange(24, 48)) + "9kQ"
    before, after = dice.choice((
        ("api_key=", " "), ('"apiKey": "', '"'), ("client_secret: ", "\n"), ("X-Api-Key: ", "\n"),
        ("access_token=", "&next=1"), ('{"secret":"', '"}'), ("AWS_SECRET_ACCESS_KEY=", "\n"),
    ))
    return before, secret, after


SECRETS: dict[str, Callable[[random.Random], tuple[str, str, str]]] = {
    "jwt": jwt, "bearer": bearer, "vendor_keys": vendor_key, "private_key": private_key,
    "url_credentials": url_credentials, "connection_string": connection_string, "entropy": entropy,
}


# look-alikes -----------------------------------------------------------------------------------

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
    "base64 picture": lambda f, d: "data:image/png;base64,iVBORw0KGgo" + base64.b64encode(d.randbytes(48)).decode(),
    "ETag": lambda f, d: f'ETag: "{d.randbytes(16).hex()}"',
}
