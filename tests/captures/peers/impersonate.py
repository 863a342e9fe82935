"""curl-impersonate (BoringSSL) through curl_cffi: impersonate.py chrome124"""
import sys

from curl_cffi import requests

print(requests.get("https://www.example.org/", impersonate=sys.argv[1], verify=False).status_code)
