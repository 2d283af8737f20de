using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace ReplicatedSqlite.Cluster;

/// <summary>What etcd answered.</summary>
/// <param name="Value">The answer.</param>
/// <param name="IsRepeated">An earlier attempt got no answer and may have been carried out: this one may be the second time.</param>
internal readonly record struct EtcdReply<T>(T Value, bool IsRepeated);

/// <summary>Calls etcd's HTTP gateway: one endpoint after the other until one answers, for a bounded time, as the user that was given.</summary>
/// <remarks>Safe for use by any thread.</remarks>
internal sealed class EtcdTransport : IDisposable
{
    private const int MaxAnswerBytes = 32 << 20; // a page of the catalogue is a hundredth of it; etcd itself takes 1.5 MiB at a time
    private static readonly MediaTypeHeaderValue _json = new("application/json");
    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(1);

    private readonly EtcdOptions _options;
    private readonly TimeProvider _time;
    private readonly Random _random; // under its own lock
    private readonly HttpClient _http;
    private volatile string? _token; // null: to be asked for; empty: etcd asks for none
    private int _current; // the endpoint that answered last; by Volatile and Interlocked

    public EtcdTransport(EtcdOptions options, TimeProvider time, Random random)
    {
        _options = options;
        _time = time;
        _random = random;
        _http = new HttpClient(EtcdHandler.Create(options)) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = MaxAnswerBytes };
    }

    /// <summary>One call. It may reach etcd more than once.</summary>
    /// <exception cref="EtcdUnavailableException">No endpoint answered in time.</exception>
    /// <exception cref="EtcdRefusedException">etcd refuses.</exception>
    public async Task<EtcdReply<T>> CallAsync<T>(string path, object request, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(request, request.GetType(), EtcdJson.Options);
        using var patience = new CancellationTokenSource(_options.CallPatience, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        var mayBeDone = false;
        EtcdUnavailableException? last = null;
        for (var attempt = 1; ; attempt++)
        {
            var endpoint = Volatile.Read(ref _current);
            try
            {
                return new(await AttemptAsync<T>(endpoint, path, body, both.Token), mayBeDone);
            }
            catch (EtcdUnavailableException failure)
            {
                mayBeDone |= failure.MayBeDone;
                last = failure;
            }
            catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
            {
                throw new EtcdUnavailableException(last?.Message ?? $"etcd gave no answer within {_options.CallPatience.TotalSeconds:0.#} s.", mayBeDone: true, e);
            }

            MoveOn(endpoint);
            try
            {
                both.Token.ThrowIfCancellationRequested();
                if (attempt % _options.Endpoints.Count == 0)
                {
                    await Task.Delay(PauseAfter(attempt / _options.Endpoints.Count), _time, both.Token);
                }
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new EtcdUnavailableException(last.Message, mayBeDone, last);
            }
        }
    }

    /// <summary>Opens a stream of lines at the endpoint that answered last. It is tried once.</summary>
    /// <exception cref="EtcdUnavailableException">It did not open.</exception>
    /// <exception cref="EtcdRefusedException">etcd refuses.</exception>
    public async Task<EtcdStream> OpenAsync(string path, object request, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(request, request.GetType(), EtcdJson.Options);
        var endpoint = Volatile.Read(ref _current);
        HttpResponseMessage? answer = null;
        try
        {
            answer = await WithinPatienceAsync(endpoint, token => SendAsync(endpoint, path, body, HttpCompletionOption.ResponseHeadersRead, token), cancellationToken);
            await ThrowIfRefusedAsync(endpoint, answer, cancellationToken);
            return new EtcdStream(answer, await answer.Content.ReadAsStreamAsync(cancellationToken), () => MoveOn(endpoint));
        }
        catch (EtcdUnavailableException)
        {
            MoveOn(endpoint);
            answer?.Dispose();
            throw;
        }
        catch
        {
            answer?.Dispose();
            throw;
        }
    }

    /// <summary>The endpoint that answers now is not what it should be: another one is asked next.</summary>
    public void MoveOn() => MoveOn(Volatile.Read(ref _current));

    public void Dispose() => _http.Dispose();

    private async Task<T> AttemptAsync<T>(int endpoint, string path, byte[] body, CancellationToken cancellationToken) =>
        await WithinPatienceAsync(
            endpoint,
            async token =>
            {
                using var answer = await SendAsync(endpoint, path, body, HttpCompletionOption.ResponseContentRead, token);
                await ThrowIfRefusedAsync(endpoint, answer, token);
                return JsonSerializer.Deserialize<T>(await answer.Content.ReadAsByteArrayAsync(token), EtcdJson.Options) ?? throw new JsonException("Nothing was answered.");
            },
            cancellationToken);

    // Asks for a token when there is none, and for another one when it is not valid any more.
    private async Task<HttpResponseMessage> SendAsync(int endpoint, string path, byte[] body, HttpCompletionOption completion, CancellationToken cancellationToken)
    {
        for (var isSecond = false; ; isSecond = true)
        {
            if (_options.User is not null && _token is null)
            {
                _token = await AuthenticateAsync(endpoint, cancellationToken);
            }

            var used = _token;
            var answer = await PostAsync(endpoint, path, body, used, completion, cancellationToken);
            if (answer.IsSuccessStatusCode || isSecond || _options.User is null)
            {
                return answer;
            }

            await answer.Content.LoadIntoBufferAsync(cancellationToken); // it is read a second time by whoever throws
            var failure = EtcdAnswers.ReadFailure(await answer.Content.ReadAsByteArrayAsync(cancellationToken));
            if (failure is null || !EtcdAnswers.IsAboutToken(failure))
            {
                return answer;
            }

            answer.Dispose();
            Interlocked.CompareExchange(ref _token, null, used);
        }
    }

    private async Task<string> AuthenticateAsync(int endpoint, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new AuthenticateRequest(_options.User!, _options.Password!), EtcdJson.Options);
        using var answer = await PostAsync(endpoint, "auth/authenticate", body, token: null, HttpCompletionOption.ResponseContentRead, cancellationToken);
        var bytes = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        if (!answer.IsSuccessStatusCode && EtcdAnswers.ReadFailure(bytes) is { } failure && EtcdAnswers.IsAuthenticationOff(failure))
        {
            return "";
        }

        await ThrowIfRefusedAsync(endpoint, answer, cancellationToken);
        return JsonSerializer.Deserialize<AuthenticateResponse>(bytes, EtcdJson.Options)!.Token;
    }

    private async Task<HttpResponseMessage> PostAsync(
        int endpoint, string path, byte[] body, string? token, HttpCompletionOption completion, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_options.Endpoints[endpoint], "/v3/" + path))
        {
            Version = HttpVersion.Version11, // all that the gateway speaks without TLS
            Content = new ByteArrayContent(body) { Headers = { ContentType = _json } },
        };
        request.Headers.Add("Grpc-Metadata-hasleader", "true"); // a member that lost the others ends its watches, and says so
        if (!string.IsNullOrEmpty(token))
        {
            request.Headers.TryAddWithoutValidation("Authorization", token); // etcd wants it bare
        }

        return await _http.SendAsync(request, completion, cancellationToken);
    }

    private async Task ThrowIfRefusedAsync(int endpoint, HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        if (!answer.IsSuccessStatusCode)
        {
            throw EtcdAnswers.Failed(_options.Endpoints[endpoint], answer.StatusCode, await answer.Content.ReadAsByteArrayAsync(cancellationToken));
        }
    }

    // What the network does and what is no answer of etcd's becomes one exception, which says whether the request may have arrived.
    private async Task<T> WithinPatienceAsync<T>(int endpoint, Func<CancellationToken, Task<T>> attempt, CancellationToken cancellationToken)
    {
        var address = _options.Endpoints[endpoint];
        using var patience = new CancellationTokenSource(_options.AnswerPatience, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return await attempt(both.Token);
        }
        catch (OperationCanceledException e) when (patience.IsCancellationRequested)
        {
            throw new EtcdUnavailableException($"etcd at {address} gave no answer within {_options.AnswerPatience.TotalSeconds:0.#} s.", mayBeDone: true, e);
        }
        catch (HttpRequestException e)
        {
            var neverSent = e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError;
            throw new EtcdUnavailableException($"etcd at {address} cannot be reached: {e.GetBaseException().Message}", !neverSent, e);
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            throw new EtcdUnavailableException($"{address} did not answer as etcd does: {e.Message}", mayBeDone: true, e);
        }
    }

    private TimeSpan PauseAfter(int rounds)
    {
        var pause = _firstPause * Math.Pow(2, Math.Min(rounds, 10));
        lock (_random)
        {
            return (pause < _longestPause ? pause : _longestPause) * (0.5 + (_random.NextDouble() / 2));
        }
    }

    private void MoveOn(int from) => Interlocked.CompareExchange(ref _current, (from + 1) % _options.Endpoints.Count, from);
}
