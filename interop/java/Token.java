import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.AuthProvider;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Security;
import java.util.Arrays;

/** The token as Java sees it: SunPKCS11 with our module behind it, and the KeyStore of that. */
final class Token {
    static final char[] PIN = System.getenv("USER_PIN").toCharArray();
    static final byte[] MESSAGE = "The one who carries the keys".getBytes(StandardCharsets.UTF_8);

    final AuthProvider provider;
    final KeyStore store;

    private Token(AuthProvider provider, KeyStore store) {
        this.provider = provider;
        this.store = store;
    }

    /** Does not register the provider: who wants the token says so, and who does not never does. */
    static Token open(String configuration) throws GeneralSecurityException, IOException {
        return open(configuration, PIN);
    }

    static Token open(String configuration, char[] pin)
            throws GeneralSecurityException, IOException {
        var provider = (AuthProvider) Security.getProvider("SunPKCS11").configure(configuration);
        var store = KeyStore.getInstance("PKCS11", provider);
        store.load(null, pin);
        return new Token(provider, store);
    }

    PrivateKey privateKey(String alias) throws GeneralSecurityException {
        return (PrivateKey) key(alias);
    }

    Key key(String alias) throws GeneralSecurityException {
        var key = store.getKey(alias, null);
        check(key != null, "no key " + alias);
        check(key.getEncoded() == null, alias + " can be read");
        return key;
    }

    PublicKey publicKey(String alias) throws GeneralSecurityException {
        return store.getCertificate(alias).getPublicKey();
    }

    static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    static void same(byte[] one, byte[] other, String what) {
        check(Arrays.equals(one, other), what + " differs");
    }

    @FunctionalInterface
    interface Attempt {
        void run() throws Exception;
    }

    /** The attempt must fail, and PKCS#11's own word for why be among the reasons. */
    static void refused(String reason, Attempt attempt) {
        try {
            attempt.run();
        } catch (Exception failure) {
            for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
                if (cause.toString().contains(reason)) {
                    return;
                }
            }
            throw new AssertionError("failed, and not with " + reason, failure);
        }
        throw new AssertionError("not refused: " + reason);
    }
}
