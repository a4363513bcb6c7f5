// What Go programs do with keys in a token, by the package crypto11. The other side is always
// Go's own cryptography, which knows nothing of the token.
package main

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"sync"
	"time"

	"github.com/ThalesIgnite/crypto11"
	"github.com/miekg/pkcs11"
)

var checks = map[string]func(*crypto11.Context) error{
	"generate": generate, "sign": sign, "decrypt": decrypt, "ciphers": ciphers,
	"random": random, "certify": certify, "tls": serve, "delete": remove,
}

// open logs in. A token is open in a process once: crypto11 keeps a pool of sessions.
func open(pin string) (*crypto11.Context, error) {
	return crypto11.Configure(&crypto11.Config{
		Path: os.Getenv("MODULE"), TokenLabel: "T1", Pin: pin, GCMIVLength: 12,
	})
}

func main() {
	if os.Args[1] == "wrongPIN" {
		if _, err := open("wrong-one"); !errors.Is(err, pkcs11.Error(pkcs11.CKR_PIN_INCORRECT)) {
			fail(fmt.Errorf("a wrong PIN: %v", err))
		}
		return
	}
	token, err := open(os.Getenv("USER_PIN"))
	fail(err)
	for _, name := range os.Args[1:] {
		fail(checks[name](token))
	}
	fail(token.Close())
}

func fail(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func generate(token *crypto11.Context) error {
	for label, curve := range map[string]elliptic.Curve{
		"ec1": elliptic.P256(), "ec2": elliptic.P384(), "ec3": elliptic.P521(),
	} {
		name := []byte(label)
		if _, err := token.GenerateECDSAKeyPairWithLabel(name, name, curve); err != nil {
			return err
		}
	}
	_, err := token.GenerateRSAKeyPairWithLabel([]byte("rsa1"), []byte("rsa1"), 2048)
	return err
}

func key(token *crypto11.Context, label string) (crypto11.Signer, error) {
	found, err := token.FindKeyPair(nil, []byte(label))
	if err == nil && found == nil {
		err = fmt.Errorf("no key %s", label)
	}
	return found, err
}

func digest(hash crypto.Hash, data string) []byte {
	state := hash.New()
	io.WriteString(state, data)
	return state.Sum(nil)
}

func sign(token *crypto11.Context) error {
	for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		sum := digest(hash, "data")
		for _, label := range []string{"ec1", "ec2", "ec3"} {
			signer, err := key(token, label)
			if err != nil {
				return err
			}
			signature, err := signer.Sign(rand.Reader, sum, hash)
			if err != nil {
				return err
			}
			if !ecdsa.VerifyASN1(signer.Public().(*ecdsa.PublicKey), sum, signature) {
				return fmt.Errorf("%s, %v: the signature is wrong", label, hash)
			}
		}
		signer, err := key(token, "rsa1")
		if err != nil {
			return err
		}
		public := signer.Public().(*rsa.PublicKey)
		signature, err := signer.Sign(rand.Reader, sum, hash)
		if err != nil {
			return err
		}
		if err := rsa.VerifyPKCS1v15(public, hash, sum, signature); err != nil {
			return err
		}
		pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
		if signature, err = signer.Sign(rand.Reader, sum, pss); err != nil {
			return err
		}
		if err := rsa.VerifyPSS(public, hash, sum, signature, pss); err != nil {
			return err
		}
	}
	return nil
}

func decrypt(token *crypto11.Context) error {
	found, err := key(token, "rsa1")
	if err != nil {
		return err
	}
	public, private := found.Public().(*rsa.PublicKey), found.(crypto11.SignerDecrypter)
	withOAEP := &rsa.OAEPOptions{Hash: crypto.SHA256}
	oaep, err := rsa.EncryptOAEP(crypto.SHA256.New(), rand.Reader, public, []byte("secret"), nil)
	if err != nil {
		return err
	}
	pkcs1, err := rsa.EncryptPKCS1v15(rand.Reader, public, []byte("secret"))
	if err != nil {
		return err
	}
	for options, sealed := range map[crypto.DecrypterOpts][]byte{
		withOAEP: oaep, &rsa.PKCS1v15DecryptOptions{}: pkcs1,
	} {
		opened, err := private.Decrypt(rand.Reader, sealed, options)
		if err != nil || string(opened) != "secret" {
			return fmt.Errorf("%T: %q, %v", options, opened, err)
		}
	}
	oaep[0] ^= 1
	if _, err := private.Decrypt(rand.Reader, oaep, withOAEP); err == nil {
		return errors.New("a changed ciphertext is opened")
	}
	return nil
}

// ciphers takes a key that was brought in, and whose value is known outside.
func ciphers(token *crypto11.Context) error {
	secret, err := token.FindKey(nil, []byte("aes1"))
	if err != nil || secret == nil {
		return fmt.Errorf("no key aes1: %v", err)
	}
	if _, err := token.GetAttribute(secret, crypto11.CkaValue); err == nil {
		return errors.New("the value of aes1 can be read")
	}
	known, err := os.ReadFile("aes1.key")
	if err != nil {
		return err
	}
	outside, err := aes.NewCipher(known)
	if err != nil {
		return err
	}
	inside, err := secret.NewGCM()
	if err != nil {
		return err
	}
	other, err := cipher.NewGCM(outside)
	if err != nil {
		return err
	}
	nonce := make([]byte, inside.NonceSize())
	sealed := inside.Seal(nil, nonce, []byte("secret"), []byte("header"))
	opened, err := other.Open(nil, nonce, sealed, []byte("header"))
	if err != nil || string(opened) != "secret" {
		return fmt.Errorf("GCM: %q, %v", opened, err)
	}
	if _, err := inside.Open(nil, nonce, sealed, []byte("another")); err == nil {
		return errors.New("GCM: a changed header is taken")
	}
	iv, blocks := make([]byte, 16), make([]byte, 64)
	chain, err := secret.NewCBCEncrypterCloser(iv)
	if err != nil {
		return err
	}
	defer chain.Close()
	sealed, opened = make([]byte, 64), make([]byte, 64)
	chain.CryptBlocks(sealed, blocks)
	cipher.NewCBCDecrypter(outside, iv).CryptBlocks(opened, sealed)
	if !bytes.Equal(opened, blocks) {
		return errors.New("CBC: another plaintext")
	}
	return nil
}

func random(token *crypto11.Context) error {
	source, err := token.NewRandomReader()
	if err != nil {
		return err
	}
	one, two := make([]byte, 64), make([]byte, 64)
	for _, buffer := range [][]byte{one, two} {
		if _, err := io.ReadFull(source, buffer); err != nil {
			return err
		}
	}
	if bytes.Equal(one, two) {
		return errors.New("the same random bytes twice")
	}
	return nil
}

// certify makes a certificate that openssl shall look at, and keeps it beside its key.
func certify(token *crypto11.Context) error {
	signer, err := key(token, "ec1")
	if err != nil {
		return err
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "go"},
		DNSNames:  []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	made, err := x509.CreateCertificate(rand.Reader, about, about, signer.Public(), signer)
	if err != nil {
		return err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made})
	if err := os.WriteFile("go.pem", block, 0o600); err != nil {
		return err
	}
	parsed, err := x509.ParseCertificate(made)
	if err != nil {
		return err
	}
	return token.ImportCertificateWithLabel([]byte("ec1"), []byte("ec1"), parsed)
}

// serve answers 192 handshakes, sixteen at a time, with the key and the certificate in the token.
func serve(token *crypto11.Context) error {
	pairs, err := token.FindAllPairedCertificates()
	if err != nil || len(pairs) != 1 {
		return fmt.Errorf("certificates with a key: %d, %v", len(pairs), err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: pairs})
	if err != nil {
		return err
	}
	defer listener.Close()
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				io.WriteString(client, "hello")
				client.Close()
			}()
		}
	}()
	roots := x509.NewCertPool()
	roots.AddCert(pairs[0].Leaf)
	trusting := &tls.Config{RootCAs: roots, ServerName: "localhost"}
	failures := make(chan error, 192)
	var clients sync.WaitGroup
	for i := 0; i < 16; i++ {
		clients.Add(1)
		go func() {
			defer clients.Done()
			for j := 0; j < 12; j++ {
				server, err := tls.Dial("tcp", listener.Addr().String(), trusting)
				if err != nil {
					failures <- err
					return
				}
				if said, err := io.ReadAll(server); err != nil || string(said) != "hello" {
					failures <- fmt.Errorf("the server said %q, %v", said, err)
				}
				server.Close()
			}
		}()
	}
	clients.Wait()
	close(failures)
	return <-failures
}

func remove(token *crypto11.Context) error {
	signer, err := key(token, "ec3")
	if err != nil {
		return err
	}
	if err := signer.Delete(); err != nil {
		return err
	}
	if again, err := token.FindKeyPair(nil, []byte("ec3")); err != nil || again != nil {
		return fmt.Errorf("the key is still there: %v, %v", again, err)
	}
	return nil
}
