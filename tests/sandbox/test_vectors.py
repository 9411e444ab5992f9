"""The signatures are those that were computed apart and that the official SDK accepts."""

import pytest
import razorpay

from sandbox.razorpay.desk import signature

EVENT = (
    '{"entity":"event","account_id":"acc_TESTTEST000001","event":"qr_code.credited","contains":'
    '["payment","qr_code"],"payload":{"payment":{"entity":{"id":"pay_TESTTEST000001","entity":'
    '"payment","amount":4000,"currency":"INR","status":"captured","method":"upi","captured":true,'
    '"order_id":null}},"qr_code":{"entity":{"id":"qr_TESTTEST0000001","entity":"qr_code","usage":'
    '"multiple_use","type":"upi_qr","fixed_amount":true,"payment_amount":4000,"status":"active"}}},'
    '"created_at":1700000000}'
)


@pytest.mark.parametrize(
    ("secret", "message", "expected"),
    [
        (
            "rzp-webhook-secret",
            EVENT,
            "fd19a9ffd51cbad015016cbb873bc5d785bae4474d7e12c3def8fac540a7f094",
        ),
        (
            "rzp_test_secret",
            "order_TESTTEST00001|pay_TESTTEST000001",
            "8726ef5043624743b58481a932ba126b6654bc5f212b076a8d5c1766c77dd1e6",
        ),
        (
            "rzp_test_secret",
            "plink_TEST00000001|ORD-1|paid|pay_TESTTEST000001",
            "61e97728c6ce1a6d80e81ec14ff973092829c3b1de67bc1f7eb2d2e7a9371b0a",
        ),
    ],
)
def test_a_signature_equals_its_vector(secret: str, message: str, expected: str) -> None:
    assert signature(secret, message.encode()) == expected


def test_the_official_sdk_accepts_the_webhook_signature() -> None:
    utility = razorpay.Client(auth=("key", "secret")).utility
    utility.verify_webhook_signature(EVENT, signature("s3", EVENT.encode()), "s3")
