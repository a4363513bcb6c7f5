import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;

/**
 * TLS whose long-term key is in the token, once as the server and once as the client.
 *
 * <p>{@code serve CONFIGURATION ALIAS VERSION} prints the port that the system picked and echoes a
 * line to each that connects. {@code connect CONFIGURATION ALIAS VERSION PORT CA} shows the server
 * a certificate. With {@code first} before these words, the token also makes the secrets of the
 * connection, since its provider is asked before all others.
 */
final class Tls {
    private Tls() {}

    public static void main(String[] arguments) throws Exception {
        int at = 0;
        var first = arguments[0].equals("first");
        if (first) {
            at++;
        }
        var token = Token.open(arguments[at + 1]);
        // Java's TLS wants the provider of a key among those that are registered.
        Security.insertProviderAt(token.provider, first ? 1 : Security.getProviders().length + 1);
        var key = new OneKey(token, arguments[at + 2]);
        var version = arguments[at + 3];
        if (arguments[at].equals("serve")) {
            serve(key, version);
        } else {
            connect(key, version, Integer.parseInt(arguments[at + 4]), arguments[at + 5]);
        }
    }

    private static void serve(OneKey key, String version) throws Exception {
        var context = SSLContext.getInstance("TLS");
        context.init(new KeyManager[] {key}, null, null);
        try (var socket = (SSLServerSocket) context.getServerSocketFactory()
                .createServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
            socket.setEnabledProtocols(new String[] {version});
            System.out.println("port " + socket.getLocalPort());
            while (true) {
                try (var peer = socket.accept()) {
                    peer.getOutputStream().write(line(peer.getInputStream()));
                } catch (SSLException failed) {
                    failed.printStackTrace();
                }
            }
        }
    }

    private static void connect(OneKey key, String version, int port, String authority)
            throws Exception {
        var context = SSLContext.getInstance("TLS");
        context.init(new KeyManager[] {key}, trust(authority).getTrustManagers(), null);
        try (var socket = (SSLSocket) context.getSocketFactory()
                .createSocket(InetAddress.getLoopbackAddress(), port)) {
            socket.setEnabledProtocols(new String[] {version});
            var request = "GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
            socket.getOutputStream().write(request);
            socket.getInputStream().readAllBytes();
            var session = socket.getSession();
            System.out.println(session.getProtocol() + " " + session.getCipherSuite());
        }
    }

    private static TrustManagerFactory trust(String authority) throws Exception {
        var store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (var file = new FileInputStream(authority)) {
            store.setCertificateEntry("ca",
                CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        var trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        return trust;
    }

    private static byte[] line(InputStream in) throws IOException {
        var line = new ByteArrayOutputStream();
        for (int next = in.read(); next >= 0; next = in.read()) {
            line.write(next);
            if (next == '\n') {
                break;
            }
        }
        return line.toByteArray();
    }

    /** Java would choose among all keys of the store; here it is always the one that was named. */
    private static final class OneKey extends X509ExtendedKeyManager {
        private final PrivateKey key;
        private final X509Certificate[] chain;
        private final String alias;

        OneKey(Token token, String alias) throws Exception {
            this.alias = alias;
            key = token.privateKey(alias);
            var stored = token.store.getCertificateChain(alias);
            chain = new X509Certificate[stored.length];
            System.arraycopy(stored, 0, chain, 0, stored.length);
        }

        @Override
        public String[] getClientAliases(String type, Principal[] issuers) {
            return new String[] {alias};
        }

        @Override
        public String[] getServerAliases(String type, Principal[] issuers) {
            return new String[] {alias};
        }

        @Override
        public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
            return alias;
        }

        @Override
        public String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
            return type.startsWith(key.getAlgorithm()) ? alias : null;
        }

        @Override
        public PrivateKey getPrivateKey(String wanted) {
            return key;
        }

        @Override
        public X509Certificate[] getCertificateChain(String wanted) {
            return chain.clone();
        }
    }
}
