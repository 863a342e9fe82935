// TLS client or server on Go's crypto/tls.
//
//	gopeer client ADDR [verify|insecure|min13|http] [ALPN]
//	gopeer server PORT plain|refuse
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
)

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
	if len(os.Args) > 4 {
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
