/** A key and a self-signed certificate for servers of tests on loopback, valid for a hundred years. No secret. */

/** PEM. */
export const TEST_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/r0iU1BpKHei8h6u
pkdUKffoy7kyuHvFwH8NJXJT+k+hRANCAAQcv5a1LuNiFFF+oxVFlb/oDYNMhYI9
eHwoCo+Uhn8NstvQ580ES/lcaUUED2NvRKSjkOAipGHXPULYyKWa135g
-----END PRIVATE KEY-----
`;

/** PEM; for `allowed.test`, `injected.test`, `other.test`, `packages.test` and 127.0.0.1. Its own authority. */
export const TEST_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIB1TCCAXygAwIBAgIUaodafZAj2eAkCy3e+ywkePCje5MwCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPbmlnaHRzaGlmdCB0ZXN0MCAXDTI2MTEyMzAyMjY0MFoYDzIx
MjYxMDMwMDIyNjQwWjAaMRgwFgYDVQQDDA9uaWdodHNoaWZ0IHRlc3QwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAAQcv5a1LuNiFFF+oxVFlb/oDYNMhYI9eHwoCo+U
hn8NstvQ580ES/lcaUUED2NvRKSjkOAipGHXPULYyKWa135go4GdMIGaMB0GA1Ud
DgQWBBRs7EVEIhbaMu/v7l3RV02oXbU6LzAfBgNVHSMEGDAWgBRs7EVEIhbaMu/v
7l3RV02oXbU6LzBHBgNVHREEQDA+ggxhbGxvd2VkLnRlc3SCDWluamVjdGVkLnRl
c3SCCm90aGVyLnRlc3SCDXBhY2thZ2VzLnRlc3SHBH8AAAEwDwYDVR0TAQH/BAUw
AwEB/zAKBggqhkjOPQQDAgNHADBEAiARnFJ5cPxP56ge9gSHTOJBQX2l4SweIDPB
AdP0eMq62QIgFWiLq2eX2aveITpfQHfnNllSssQkZmoKkbRtBRcaNmk=
-----END CERTIFICATE-----
`;
