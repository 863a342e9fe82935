import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import javax.net.ssl.*;

/** JavaClient HOST PORT verify|insecure|https */
public class JavaClient {
    public static void main(String[] a) throws Exception {
        SSLContext ctx = SSLContext.getInstance("TLS");
        TrustManager all = new X509TrustManager() {
            public void checkClientTrusted(X509Certificate[] c, String t) {}
            public void checkServerTrusted(X509Certificate[] c, String t) {}
            public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
        };
        ctx.init(null, a[2].equals("verify") ? null : new TrustManager[] {all}, new SecureRandom());
        if (a[2].equals("https")) {
            HttpsURLConnection u = (HttpsURLConnection) new java.net.URL("https://www.example.org/").openConnection();
            u.setSSLSocketFactory(ctx.getSocketFactory());
            u.setHostnameVerifier((h, s) -> true);
            System.out.println(u.getResponseCode());
            return;
        }
        try (SSLSocket s = (SSLSocket) ctx.getSocketFactory().createSocket(a[0], Integer.parseInt(a[1]))) {
            SSLParameters p = s.getSSLParameters();
            p.setServerNames(java.util.List.of(new SNIHostName("www.example.org")));
            s.setSSLParameters(p);
            s.startHandshake();
            System.out.println(s.getSession().getProtocol() + " " + s.getSession().getCipherSuite());
            s.getOutputStream().write("ping\n".getBytes());
            s.getOutputStream().flush();
        } catch (Exception e) {
            System.out.println(e);
        }
    }
}
