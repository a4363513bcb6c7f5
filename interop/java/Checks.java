import static java.util.concurrent.TimeUnit.SECONDS;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Security;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.crypto.Cipher;
import javax.crypto.KeyAgreement;
import javax.crypto.KeyGenerator;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import javax.security.auth.callback.PasswordCallback;

/**
 * What Java programs do with keys in a token. The other side is always one of Java's providers in
 * software: SunRsaSign, SunEC, SunJCE, SUN.
 *
 * <p>Keys rsa1 (RSA), ec1 (P-256), ec2 (P-384), which also derive, are there already.
 */
final class Checks {
    private final String configuration;
    private final Token token;

    private Checks(String configuration) throws Exception {
        this.configuration = configuration;
        token = Token.open(configuration);
    }

    public static void main(String[] arguments) throws Exception {
        var checks = new Checks(arguments[0]);
        for (var name : Arrays.asList(arguments).subList(1, arguments.length)) {
            Checks.class.getDeclaredMethod(name).invoke(checks);
        }
    }

    // ------------------------------------------------------------------ signatures

    void rsaSignatures() throws Exception {
        for (var hash : new String[] {"SHA224", "SHA256", "SHA384", "SHA512"}) {
            signature("rsa1", hash + "withRSA", "SunRsaSign", null);
        }
    }

    void pssSignatures() throws Exception {
        for (var bits : new int[] {256, 384, 512}) {
            var hash = "SHA-" + bits;
            signature("rsa1", "RSASSA-PSS", "SunRsaSign",
                new PSSParameterSpec(hash, "MGF1", new MGF1ParameterSpec(hash), bits / 8, 1));
        }
    }

    void ecSignatures() throws Exception {
        for (var alias : new String[] {"ec1", "ec2"}) {
            for (var hash : new String[] {"SHA256", "SHA384", "SHA512"}) {
                signature(alias, hash + "withECDSA", "SunEC", null);
            }
            signature(alias, "SHA256withECDSAinP1363Format", "SunEC", null);
        }
    }

    private void signature(String alias, String algorithm, String software,
            AlgorithmParameterSpec parameters) throws GeneralSecurityException {
        var signer = Signature.getInstance(algorithm, token.provider);
        signer.initSign(token.privateKey(alias));
        var signed = sign(signer, parameters);
        // Both implementations must take it, and neither when a bit of the message is another.
        var other = Token.MESSAGE.clone();
        other[3] ^= 1;
        for (var provider : new Provider[] {Security.getProvider(software), token.provider}) {
            var verifier = Signature.getInstance(algorithm, provider);
            Token.check(verify(verifier, alias, parameters, Token.MESSAGE, signed),
                provider + " refuses " + algorithm);
            verifier = Signature.getInstance(algorithm, provider);
            Token.check(!verify(verifier, alias, parameters, other, signed),
                provider + " takes another message for " + algorithm);
        }
    }

    private static byte[] sign(Signature signer, AlgorithmParameterSpec parameters)
            throws GeneralSecurityException {
        if (parameters != null) {
            signer.setParameter(parameters);
        }
        signer.update(Token.MESSAGE, 0, 5);
        signer.update(Token.MESSAGE, 5, Token.MESSAGE.length - 5);
        return signer.sign();
    }

    private boolean verify(Signature verifier, String alias, AlgorithmParameterSpec parameters,
            byte[] message, byte[] signed) throws GeneralSecurityException {
        // As bytes, for otherwise the key's own provider might be chosen.
        var key = KeyFactory.getInstance(alias.startsWith("rsa") ? "RSA" : "EC")
            .generatePublic(new X509EncodedKeySpec(token.publicKey(alias).getEncoded()));
        verifier.initVerify(key);
        if (parameters != null) {
            verifier.setParameter(parameters);
        }
        verifier.update(message);
        return verifier.verify(signed);
    }

    // ------------------------------------------------------------------ decryption, agreement

    /** SunPKCS11 has no OAEP; the padding of PKCS #1 v1.5 and none are all it offers. */
    void rsaDecryption() throws Exception {
        var closed = token.privateKey("rsa1");
        var open = (RSAPublicKey) token.publicKey("rsa1");
        var padded = Cipher.getInstance("RSA/ECB/PKCS1Padding", "SunJCE");
        padded.init(Cipher.ENCRYPT_MODE, open);
        var cipher = Cipher.getInstance("RSA/ECB/PKCS1Padding", token.provider);
        cipher.init(Cipher.DECRYPT_MODE, closed);
        Token.same(Token.MESSAGE, cipher.doFinal(padded.doFinal(Token.MESSAGE)), "PKCS #1 v1.5");

        var number = new BigInteger(1, Token.MESSAGE);
        var raised = number.modPow(open.getPublicExponent(), open.getModulus()).toByteArray();
        var block = new byte[256];
        var skipped = Math.max(0, raised.length - block.length);
        System.arraycopy(raised, skipped, block, block.length - raised.length + skipped,
            raised.length - skipped);
        var bare = Cipher.getInstance("RSA/ECB/NoPadding", token.provider);
        bare.init(Cipher.DECRYPT_MODE, closed);
        Token.check(number.equals(new BigInteger(1, bare.doFinal(block))), "no padding differs");
    }

    void agreement() throws Exception {
        for (var alias : new String[] {"ec1", "ec2"}) {
            var generator = KeyPairGenerator.getInstance("EC", "SunEC");
            generator.initialize(((ECPublicKey) token.publicKey(alias)).getParams());
            var peer = generator.generateKeyPair();
            Token.same(
                agreed(Security.getProvider("SunEC"), peer.getPrivate(), token.publicKey(alias)),
                agreed(token.provider, token.privateKey(alias), peer.getPublic()),
                "ECDH, " + alias);
        }
    }

    private static byte[] agreed(Provider provider, PrivateKey ours, PublicKey theirs)
            throws GeneralSecurityException {
        var agreement = KeyAgreement.getInstance("ECDH", provider);
        agreement.init(ours);
        agreement.doPhase(theirs, true);
        return agreement.generateSecret();
    }

    // ------------------------------------------------------------------ secret keys

    private static final SecretKey KNOWN = new SecretKeySpec(bytes(32, 7), "AES");

    /** The same bytes as a key of software and as a key of the token, which nobody reads again. */
    void ciphers() throws Exception {
        var closed = stored("known", KNOWN);
        for (var bits : new int[] {96, 128}) {
            cipher("AES/GCM/NoPadding", closed, new GCMParameterSpec(bits, bytes(12, 1)));
        }
        for (var mode : new String[] {"CBC/NoPadding", "CBC/PKCS5Padding", "CTR/NoPadding"}) {
            cipher("AES/" + mode, closed, new IvParameterSpec(bytes(16, 2)));
        }
        cipher("AES/ECB/PKCS5Padding", closed, null);
        tampered(closed);
        token.store.deleteEntry("known");
    }

    /** ChaCha20 of a key that lives as long as the session: a KeyStore keeps none of these. */
    void chacha() throws Exception {
        var known = new SecretKeySpec(bytes(32, 9), "ChaCha20");
        cipher("ChaCha20-Poly1305", known, new IvParameterSpec(bytes(12, 3)));
    }

    private void cipher(String name, SecretKey ours, AlgorithmParameterSpec parameters)
            throws GeneralSecurityException {
        var known = name.startsWith("AES") ? KNOWN : ours;
        var plain = bytes(name.contains("NoPadding") ? 4096 : 4099, 5);
        var software = Cipher.getInstance(name, "SunJCE");
        software.init(Cipher.ENCRYPT_MODE, known, parameters);
        var sealed = software.doFinal(plain);
        var hardware = Cipher.getInstance(name, token.provider);
        hardware.init(Cipher.ENCRYPT_MODE, ours, parameters);
        Token.same(sealed, inParts(hardware, plain), name);
        hardware.init(Cipher.DECRYPT_MODE, ours, parameters);
        Token.same(plain, inParts(hardware, sealed), name + ", opened,");
    }

    private static byte[] inParts(Cipher cipher, byte[] data) throws GeneralSecurityException {
        var out = new ByteArrayOutputStream();
        for (int at = 0; at < data.length; at += 1000) {
            var part = cipher.update(data, at, Math.min(1000, data.length - at));
            if (part != null) {
                out.writeBytes(part);
            }
        }
        out.writeBytes(cipher.doFinal());
        return out.toByteArray();
    }

    private void tampered(SecretKey closed) throws GeneralSecurityException {
        var parameters = new GCMParameterSpec(128, bytes(12, 1));
        var cipher = Cipher.getInstance("AES/GCM/NoPadding", token.provider);
        cipher.init(Cipher.ENCRYPT_MODE, closed, parameters);
        cipher.updateAAD(Token.MESSAGE);
        var sealed = cipher.doFinal(bytes(100, 5));
        sealed[50] ^= 1;
        cipher.init(Cipher.DECRYPT_MODE, closed, parameters);
        cipher.updateAAD(Token.MESSAGE);
        Token.refused("AEADBadTag", () -> cipher.doFinal(sealed));
    }

    private SecretKey stored(String alias, SecretKey key) throws GeneralSecurityException {
        token.store.setEntry(alias, new KeyStore.SecretKeyEntry(key), null);
        return (SecretKey) token.key(alias);
    }

    void macs() throws Exception {
        for (var name : new String[] {"HmacSHA224", "HmacSHA256", "HmacSHA384", "HmacSHA512"}) {
            var known = new SecretKeySpec(bytes(64, 4), name);
            var ours = Mac.getInstance(name, token.provider);
            var theirs = Mac.getInstance(name, "SunJCE");
            ours.init(known);
            theirs.init(known);
            Token.same(theirs.doFinal(Token.MESSAGE), ours.doFinal(Token.MESSAGE), name);
        }
    }

    void generatedKey() throws Exception {
        var generator = KeyGenerator.getInstance("AES", token.provider);
        generator.init(256);
        var vector = new IvParameterSpec(bytes(16, 6));
        var sealer = Cipher.getInstance("AES/CBC/PKCS5Padding", token.provider);
        sealer.init(Cipher.ENCRYPT_MODE, stored("made", generator.generateKey()), vector);
        var sealed = sealer.doFinal(Token.MESSAGE);
        // Another provider object, with keys of its own, finds it by its name.
        var again = Token.open(configuration);
        var opener = Cipher.getInstance("AES/CBC/PKCS5Padding", again.provider);
        opener.init(Cipher.DECRYPT_MODE, again.key("made"), vector);
        Token.same(Token.MESSAGE, opener.doFinal(sealed), "what was sealed");
        again.store.deleteEntry("made");
        Token.check(!Token.open(configuration).store.containsAlias("made"), "still there");
    }

    /** A key comes in under the token's RSA key; what software encrypted with it can be read. */
    void unwrapping() throws Exception {
        var wrapper = Cipher.getInstance("RSA/ECB/PKCS1Padding", "SunJCE");
        wrapper.init(Cipher.WRAP_MODE, token.publicKey("rsa1"));
        var wrapped = wrapper.wrap(KNOWN);
        var unwrapper = Cipher.getInstance("RSA/ECB/PKCS1Padding", token.provider);
        unwrapper.init(Cipher.UNWRAP_MODE, token.privateKey("rsa1"));
        var key = (SecretKey) unwrapper.unwrap(wrapped, "AES", Cipher.SECRET_KEY);
        cipher("AES/CBC/PKCS5Padding", key, new IvParameterSpec(bytes(16, 2)));
    }

    /** A key that the token keeps leaves under no key that just anybody can bring along. */
    void noWrapping() throws Exception {
        var closed = stored("stays", KNOWN);
        var wrapper = Cipher.getInstance("RSA/ECB/PKCS1Padding", token.provider);
        wrapper.init(Cipher.WRAP_MODE, token.publicKey("rsa1"));
        Token.refused("CKR_KEY_", () -> wrapper.wrap(closed));
        token.store.deleteEntry("stays");
    }

    // ------------------------------------------------------------------ digests, random numbers

    void digests() throws Exception {
        for (var service : token.provider.getServices()) {
            if (!service.getType().equals("MessageDigest")) {
                continue;
            }
            var name = service.getAlgorithm();
            var ours = MessageDigest.getInstance(name, token.provider);
            var theirs = MessageDigest.getInstance(name, "SUN");
            ours.update(Token.MESSAGE);
            // A copy takes the state of the operation out of the token and puts it in again.
            var copy = (MessageDigest) ours.clone();
            ours.update(bytes(5000, 1));
            theirs.update(Token.MESSAGE);
            var same = (MessageDigest) theirs.clone();
            Token.same(same.digest(), copy.digest(), name + ", a copy,");
            theirs.update(bytes(5000, 1));
            Token.same(theirs.digest(), ours.digest(), name);
        }
    }

    void randomNumbers() throws Exception {
        var random = SecureRandom.getInstance("PKCS11", token.provider);
        var seen = new BigInteger(random.generateSeed(32));
        var next = new byte[32];
        random.nextBytes(next);
        Token.check(!seen.equals(new BigInteger(next)), "the same number twice");
        random.setSeed(bytes(16, 1));
    }

    // ------------------------------------------------------------------ threads, logins

    void threads() throws Exception {
        var pool = Executors.newFixedThreadPool(8);
        var results = new ArrayList<Future<byte[]>>();
        for (int n = 0; n < 400; n++) {
            results.add(pool.submit(() -> {
                var signer = Signature.getInstance("SHA256withECDSA", token.provider);
                signer.initSign(token.privateKey("ec1"));
                return sign(signer, null);
            }));
        }
        pool.shutdown();
        for (var result : results) {
            var verifier = Signature.getInstance("SHA256withECDSA", "SunEC");
            Token.check(verify(verifier, "ec1", null, Token.MESSAGE, result.get(60, SECONDS)),
                "a wrong signature");
        }
    }

    void logoutAndLogin() throws Exception {
        var signer = Signature.getInstance("SHA256withECDSA", token.provider);
        var key = token.privateKey("ec1");
        token.provider.logout();
        Token.check(token.store.getKey("ec1", null) == null, "a key without a login");
        Token.refused("CKR_", () -> {
            signer.initSign(key);
            sign(signer, null);
        });
        token.provider.login(null, callbacks -> {
            for (var callback : callbacks) {
                ((PasswordCallback) callback).setPassword(Token.PIN);
            }
        });
        signature("ec1", "SHA256withECDSA", "SunEC", null);
    }

    void wrongPin() throws Exception {
        token.provider.logout();
        Token.refused("CKR_PIN_INCORRECT",
            () -> Token.open(configuration, "wrong-one".toCharArray()));
        token.store.load(null, Token.PIN);
        signature("ec1", "SHA256withECDSA", "SunEC", null);
    }

    private static byte[] bytes(int length, int seed) {
        var bytes = new byte[length];
        for (int n = 0; n < length; n++) {
            bytes[n] = (byte) (n * 31 + seed);
        }
        return bytes;
    }
}
