// TLS client or server on Go's crypto/tls.
//
//	gopeer client ADDR [verify|insecure|min13|http] [ALPN]
//	gopeer client ADDR ech CONFIG-FILE
//	gopeer server PORT plain|refuse
//	gopeer server PORT ech|ech-other-key CONFIG-FILE
package main

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// echConfig makes one ECHConfig (RFC 9849) for the public name www.example.org.
func echConfig(pub []byte) []byte {
	name := "www.example.org"
	b := []byte{7, 0, 0x20, 0, byte(len(pub))} // config id 7, DHKEM(X25519)
	b = append(b, pub...)
	b = append(b, 0, 4, 0, 1, 0, 1, 32, byte(len(name))) // HKDF-SHA256, AES-128-GCM
	b = append(b, name...)
	b = append(b, 0, 0)
	return append([]byte{0xfe, 0x0d, 0, byte(len(b))}, b...)
}

func main() {
	pki := os.Getenv("PKI")
	if os.Args[1] == "server" {
		cert, err := tls.LoadX509KeyPair(pki+"/leaf-rsa2048.full", pki+"/leaf-rsa2048.key")
		if err != nil {
			panic(err)
		}
		cfg := &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}}
		if os.Args[3] == "refuse" {
			// an application error while the configuration is chosen
			cfg.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("no configuration") }
		}
		if strings.HasPrefix(os.Args[3], "ech") {
			key, _ := ecdh.X25519().GenerateKey(rand.Reader)
			conf := echConfig(key.PublicKey().Bytes())
			cfg.EncryptedClientHelloKeys = []tls.EncryptedClientHelloKey{{Config: conf, PrivateKey: key.Bytes(), SendAsRetry: true}}
			if os.Args[3] == "ech-other-key" {
				// what the client is given belongs to a key the server does not have
				other, _ := ecdh.X25519().GenerateKey(rand.Reader)
				conf = echConfig(other.PublicKey().Bytes())
			}
			os.WriteFile(os.Args[4], append([]byte{0, byte(len(conf))}, conf...), 0o644)
		}
		l, err := tls.Listen("tcp", ":"+os.Args[2], cfg)
		if err != nil {
			panic(err)
		}
		for {
			c, err := l.Accept()
			if err != nil {
				panic(err)
			}
			go func() {
				b := make([]byte, 512)
				if _, err := c.Read(b); err == nil {
					c.Write([]byte("pong\n"))
				}
				c.Close()
			}()
		}
	}
	pool := x509.NewCertPool()
	pem, _ := os.ReadFile(pki + "/roots.pem")
	pool.AppendCertsFromPEM(pem)
	cfg := &tls.Config{ServerName: "www.example.org", RootCAs: pool}
	mode := ""
	if len(os.Args) > 3 {
		mode = os.Args[3]
	}
	switch mode {
	case "insecure":
		cfg.InsecureSkipVerify = true
	case "ech":
		list, err := os.ReadFile(os.Args[4])
		if err != nil {
			panic(err)
		}
		cfg.ServerName = "hidden.example.org"
		cfg.InsecureSkipVerify = true
		cfg.MinVersion = tls.VersionTLS13
		cfg.EncryptedClientHelloConfigList = list
	case "min13":
		cfg.MinVersion = tls.VersionTLS13
	case "http":
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.TLSClientConfig = cfg
		t.ForceAttemptHTTP2 = true
		r, err := (&http.Client{Transport: t}).Get("https://www.example.org/")
		fmt.Println(r, err)
		return
	}
	if len(os.Args) > 4 && mode != "ech" {
		cfg.NextProtos = strings.Split(os.Args[4], ",")
	}
	c, err := tls.Dial("tcp", os.Args[2], cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	c.Write([]byte("ping\n"))
	c.Read(make([]byte, 64))
	c.Close()
}
