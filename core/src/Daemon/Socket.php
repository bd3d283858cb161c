<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use Exception;
use jeenergie;
use Jeenergie\Storage\Json;
use translate;

/**
 * Client of the daemon's socket: one JSON line each way over TCP on the loopback interface.
 */
final class Socket
{
    /** The daemon's own limit for each command, in seconds; the client waits MARGIN_S longer. */
    private const LIMITS_S = [
        'configure' => 5,
        'forget' => 5,
        'test' => 60,
        'discover' => 60,
        'nearby' => 40,
        'refresh' => 30,
        'action' => 25,
        'run' => 300,
        'log' => 5,
        'status' => 5,
        'diagnostics' => 15,
        'backup' => 5,
        'house' => 10,
        'balance' => 20,
        'outlook' => 10,
        'journal' => 10,
        'readings' => 5,
        'past' => 5,
        'shutdown' => 5,
    ];
    private const MARGIN_S = 5;

    /** The daemon refuses longer messages. */
    private const MAX_MESSAGE_BYTES = 1048576;

    /**
     * Sends one command and returns its result.
     *
     * @param float|null $timeout seconds, instead of the command's own limit
     * @throws Refusal if the daemon refuses, or cannot be reached (reason "daemon")
     */
    public static function request(string $command, array $fields = [], ?float $timeout = null): array
    {
        $deadline = microtime(true) + ($timeout ?? self::LIMITS_S[$command] + self::MARGIN_S);
        $stream = @stream_socket_client('tcp://127.0.0.1:' . Daemon::port(), $code, $reason, min(2, $timeout ?? 2));
        if ($stream === false) {
            throw new Refusal(
                __('Le démon n\'est pas démarré. Démarrez-le depuis la page de configuration du plugin.', __FILE__),
                'daemon'
            );
        }
        try {
            if (Process::listener(Daemon::port()) === Process::OTHERS) {
                throw new Refusal(
                    __('Le port du démon est tenu par un programme d\'un autre utilisateur : rien ne lui a été envoyé.', __FILE__),
                    'daemon'
                );
            }
            $message = ['apikey' => ApiKey::get(), 'cmd' => $command] + $fields + ['language' => translate::getLanguage()];
            self::write($stream, self::encode($message), $deadline);
            return self::result(self::readLine($stream, $deadline));
        } finally {
            fclose($stream);
        }
    }

    public static function encode(array $message): string
    {
        $line = Json::encode($message);
        if (strlen($line) >= self::MAX_MESSAGE_BYTES) {
            throw new Refusal(__('Le message pour le démon est trop long.', __FILE__), 'daemon');
        }
        return $line . "\n";
    }

    private static function write($stream, string $text, float $deadline): void
    {
        stream_set_blocking($stream, false);
        while ($text !== '') {
            self::wait($stream, $deadline, true);
            $written = @fwrite($stream, $text);
            if ($written === false || $written === 0) {
                throw self::noAnswer();
            }
            $text = (string) substr($text, $written);
        }
    }

    private static function readLine($stream, float $deadline): string
    {
        $line = '';
        while (substr($line, -1) !== "\n") {
            self::wait($stream, $deadline, false);
            $chunk = fread($stream, 65536);
            if ($chunk === '' || $chunk === false) {
                if (feof($stream)) {
                    break;
                }
                continue;
            }
            $line .= $chunk;
        }
        return $line;
    }

    private static function wait($stream, float $deadline, bool $toWrite): void
    {
        $left = max(0, $deadline - microtime(true));
        $read = $toWrite ? null : [$stream];
        $write = $toWrite ? [$stream] : null;
        $none = null;
        $ready = @stream_select($read, $write, $none, (int) $left, (int) (($left - (int) $left) * 1e6));
        if (!$ready) {
            throw self::noAnswer();
        }
    }

    private static function result(string $line): array
    {
        try {
            $answer = Json::decode($line);
        } catch (Exception $error) {
            throw self::noAnswer();
        }
        if (!isset($answer['ok'])) {
            throw self::noAnswer();
        }
        if (!$answer['ok']) {
            if (($answer['error']['code'] ?? '') === 'unauthorized') {
                throw new Refusal(
                    __('Le démon a une autre clé API que Jeedom : il sera redémarré dans la minute.', __FILE__),
                    'unauthorized'
                );
            }
            $text = (string) ($answer['error']['message'] ?? __('Le démon a refusé la demande.', __FILE__));
            throw new Refusal(
                // Escaped: it may quote a vendor, and the core shows the message of an exception as HTML.
                str_replace(['<', '>'], ['‹', '›'], $text),
                (string) ($answer['error']['code'] ?? 'internal')
            );
        }
        return jeenergie::dictionary($answer['result'] ?? null);
    }

    private static function noAnswer(): Refusal
    {
        return new Refusal(
            __('Le démon n\'a pas répondu à temps. Regardez le log jeenergie_daemon.', __FILE__),
            'daemon'
        );
    }
}
