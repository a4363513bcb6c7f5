import java.io.ByteArrayOutputStream;
import java.security.Provider;
import java.security.Security;
import java.security.spec.AlgorithmParameterSpec;
import java.util.Arrays;
import javax.crypto.KeyGenerator;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import sun.security.internal.spec.TlsKeyMaterialParameterSpec;
import sun.security.internal.spec.TlsKeyMaterialSpec;
import sun.security.internal.spec.TlsMasterSecretParameterSpec;
import sun.security.internal.spec.TlsPrfParameterSpec;

/**
 * The secrets of TLS 1.2, which Java's TLS asks the first provider for that has them: what the
 * token derives is what SunJCE derives of the same premaster secret.
 *
 * <p>Their parameters are no public interface and marked as not to be used: hence
 * {@code --add-exports} in run.sh, and no warnings here.
 */
@SuppressWarnings("deprecation")
final class Tls12Secrets {
    private static final byte[] CLIENT = bytes(32, 1);
    private static final byte[] SERVER = bytes(32, 2);

    private Tls12Secrets() {}

    public static void main(String[] arguments) throws Exception {
        var token = Token.open(arguments[0]).provider;
        var software = Security.getProvider("SunJCE");
        var premaster = new SecretKeySpec(bytes(48, 3), "TlsPremasterSecret");
        Token.check(Arrays.equals(all(software, premaster), all(token, premaster)),
            "other secrets than SunJCE's");
    }

    /** Server's Finished, then the cipher keys and vectors of both sides. */
    private static byte[] all(Provider provider, SecretKey premaster) throws Exception {
        var master = make(provider, "SunTls12MasterSecret", new TlsMasterSecretParameterSpec(
            premaster, 3, 3, CLIENT, SERVER, "SHA-256", 32, 64));
        Token.check(master.getClass().getName().contains("P11") == token(provider),
            provider + " left the master secret to another");
        var finished = make(provider, "SunTls12Prf", new TlsPrfParameterSpec(
            master, "server finished", bytes(32, 4), 12, "SHA-256", 32, 64));
        var keys = (TlsKeyMaterialSpec) make(provider, "SunTls12KeyMaterial",
            new TlsKeyMaterialParameterSpec(
                master, 3, 3, CLIENT, SERVER, "AES", 32, 0, 4, 0, "SHA-256", 32, 64));
        var all = new ByteArrayOutputStream();
        all.writeBytes(finished.getEncoded());
        all.writeBytes(keys.getClientCipherKey().getEncoded());
        all.writeBytes(keys.getServerCipherKey().getEncoded());
        all.writeBytes(keys.getClientIv().getIV());
        all.writeBytes(keys.getServerIv().getIV());
        return all.toByteArray();
    }

    private static boolean token(Provider provider) {
        return provider.getName().startsWith("SunPKCS11");
    }

    private static SecretKey make(Provider provider, String what, AlgorithmParameterSpec how)
            throws Exception {
        var generator = KeyGenerator.getInstance(what, provider);
        generator.init(how);
        return generator.generateKey();
    }

    private static byte[] bytes(int length, int seed) {
        var bytes = new byte[length];
        Arrays.fill(bytes, (byte) seed);
        return bytes;
    }
}
