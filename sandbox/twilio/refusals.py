"""Twilio's error answers: a status, and a code that names a page of its documents."""

from typing import Any

from sandbox.front import RefusalError

WORDS = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    21201: (400, "No 'To' number is specified"),
    21205: (400, "Url parameter is required"),
    21210: (400, "The source phone number provided is not yet verified for your account"),
    21211: (400, "Invalid 'To' Phone Number"),
    21212: (400, "Invalid 'From' Phone Number"),
    21213: (400, "'From' phone number is required"),
    21214: (400, "'To' phone number cannot be reached"),
    21215: (400, "Account not authorized to call this number"),
    21216: (400, "Account not allowed to call this number"),
    21217: (400, "Phone number does not appear to be valid"),
    21220: (400, "Invalid call state"),
    21408: (400, "Permission to send an SMS has not been enabled for the region"),
    21602: (400, "Message body is required"),
    21603: (400, "A 'From' phone number is required"),
    21604: (400, "A 'To' phone number is required"),
    21606: (400, "The 'From' phone number is not a valid, SMS-capable number of your account"),
    21608: (400, "The 'To' number is unverified: trial accounts send to verified numbers alone"),
    21609: (400, "Invalid 'StatusCallback' URL"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (400, "This 'From' number has exceeded the maximum number of queued messages"),
    21612: (400, "The message cannot be sent with this combination of 'To' and 'From'"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    30004: (400, "Message blocked"),
}
INVALID = (400, "Invalid parameter")


class ApiError(RefusalError):
    """An answer of the API other than success. Codes are Twilio's, most words are ours."""

    def __init__(self, code: int, more: str = "") -> None:
        self.status, words = WORDS.get(code, INVALID)
        self.code = code
        self.message = f"{words}: {more}" if more else words
        super().__init__(self.message)

    def body(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


def in_trouble() -> ApiError:
    return ApiError(20500)
