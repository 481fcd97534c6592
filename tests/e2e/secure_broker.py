"""A broker with what rotation is about: mutual TLS with an authorizer, OAUTHBEARER, and sessions that
end after some seconds, so that an old secret does not go on working unseen."""

from __future__ import annotations

import base64
import json
import pathlib
import subprocess
import time

from confluent_kafka.admin import (AclBinding, AclBindingFilter, AclOperation, AclPermissionType,
                                   ResourcePatternType, ResourceType, ScramCredentialInfo,
                                   ScramMechanism, UserScramCredentialUpsertion)

from kafka_cluster import USER, KafkaBroker, free_ports

SESSION_MS = 3000

# Tokens are JWTs without a signature, which Kafka takes where no validator is configured.
MORE = """\
listeners=PLAINTEXT://127.0.0.1:{port},SASL://127.0.0.1:{sasl_port},OAUTH://127.0.0.1:{oauth_port},\
SSL://127.0.0.1:{tls_port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL://127.0.0.1:{sasl_port},\
OAUTH://127.0.0.1:{oauth_port},SSL://127.0.0.1:{tls_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,OAUTH:SASL_PLAINTEXT,SSL:SSL,\
CONTROLLER:PLAINTEXT
listener.name.sasl.scram-sha-512.connections.max.reauth.ms={session_ms}
listener.name.oauth.sasl.enabled.mechanisms=OAUTHBEARER
listener.name.oauth.oauthbearer.connections.max.reauth.ms={session_ms}
listener.name.oauth.oauthbearer.sasl.jaas.config=\
org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required \
unsecuredLoginStringClaim_sub="broker";
listener.name.ssl.ssl.client.auth=required
listener.name.ssl.ssl.keystore.type=PEM
listener.name.ssl.ssl.keystore.location={directory}/broker.pem
listener.name.ssl.ssl.truststore.type=PEM
listener.name.ssl.ssl.truststore.location={directory}/trusted.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:{user};User:agent
"""


class SecureBroker(KafkaBroker):
    """`certificates` holds every file made by certificate(); the CAs `old` and `new` are trusted."""

    def __init__(self, directory: pathlib.Path) -> None:
        super().__init__(directory)
        self.oauth_port, self.tls_port = free_ports(2)
        self.oauth_bootstrap = f"127.0.0.1:{self.oauth_port}"
        self.tls_bootstrap = f"127.0.0.1:{self.tls_port}"
        self.certificates = directory.parent / "certificates"

    def properties(self) -> str:
        self._make_certificates()
        return super().properties() + MORE.format(
            port=self.port, sasl_port=self.sasl_port, oauth_port=self.oauth_port,
            tls_port=self.tls_port, controller_port=self.controller_port,
            session_ms=SESSION_MS, directory=self.certificates, user=USER,
        )

    def certificate(self, name: str, common_name: str, authority: str) -> None:
        """`name`.pem and `name`.key, signed by `authority`; made anew in place when they are there."""
        self._openssl(
            f"req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={common_name} "
            f"-addext subjectAltName=IP:127.0.0.1 -keyout {name}.key -out {name}.csr")
        self._openssl(f"x509 -req -in {name}.csr -copy_extensions copy -days 2 -CA {authority}.pem "
                      f"-CAkey {authority}.key -CAcreateserial -out {name}.pem")

    def allow(self, common_name: str) -> None:
        """Its owner may do what a gateway does, on every topic."""
        for made in self.admin().create_acls(self._rights(AclBinding, common_name)).values():
            made.result()

    def forbid(self, common_name: str) -> None:
        for gone in self.admin().delete_acls(self._rights(AclBindingFilter, common_name)).values():
            gone.result()

    def set_password(self, password: str) -> None:
        change = UserScramCredentialUpsertion(
            USER, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), password.encode())
        for done in self.admin().alter_user_scram_credentials([change]).values():
            done.result()

    @staticmethod
    def _rights(kind: type, common_name: str) -> list:
        return [kind(ResourceType.TOPIC, "*", ResourcePatternType.LITERAL, f"User:CN={common_name}",
                     "*", operation, AclPermissionType.ALLOW)
                for operation in (AclOperation.WRITE, AclOperation.DESCRIBE)]

    def _make_certificates(self) -> None:
        self.certificates.mkdir(parents=True, exist_ok=True)
        for authority in ("old", "new"):
            self._openssl(f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
                          f"-subj /CN={authority} -keyout {authority}.key -out {authority}.pem")
        self.certificate("server", "127.0.0.1", "old")
        read = lambda name: (self.certificates / name).read_text()
        key = subprocess.run(["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", "server.key"],
                             cwd=self.certificates, check=True, capture_output=True, text=True)
        (self.certificates / "broker.pem").write_text(key.stdout + read("server.pem"))
        (self.certificates / "trusted.pem").write_text(read("old.pem") + read("new.pem"))

    def _openssl(self, arguments: str) -> None:
        subprocess.run(["openssl", *arguments.split()], cwd=self.certificates, check=True,
                       capture_output=True)


def token(life_s: float) -> str:
    """What a token issuer would put into the file, but unsigned."""
    now = time.time()
    claims = {"sub": "agent", "iat": int(now), "exp": int(now + life_s)}
    encode = lambda part: base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
    return f"{encode({'alg': 'none'})}.{encode(claims)}."
