#!/bin/bash
# Everything under pcaps/starttls.
cd "$(dirname "$0")" && bash ./starttls_mail.sh && bash ./starttls_other.sh
