<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Equipment;

use cmd;
use event;
use jeenergie;
use Jeenergie\Contract\Catalogue;
use message;

/**
 * The state of a connection, or of one piece of equipment, as reported by the daemon.
 */
final class State
{
    /** States for which the user gets a message. */
    private const REPORTED = ['authentication_failed', 'no_data'];

    /** What has made it so is the state of another connection: that one tells of it. */
    private const CAUSED_ELSEWHERE = 'unreachable';

    /** @param array $event {state, until, code, message} */
    public static function apply(jeenergie $eqLogic, ?cmd $command, array $event): void
    {
        $before = $eqLogic->state();
        $name = (string) $event['state'];
        $state = ['state' => $name, 'since' => date('Y-m-d H:i:s')]
            + array_intersect_key($event, array_flip(['until', 'code', 'message']));
        if (($before['state'] ?? '') === $name) {
            $state['since'] = $before['since'];
        }
        if ($state != $before) {
            $eqLogic->setCache('state', $state);
            // Every signed-in user receives the event; the texts are in "list", for administrators.
            event::add('jeenergie::state', ['id' => $eqLogic->getId(), 'state' => $name]);
        }
        if ($command !== null) {
            LastCommunication::unchangedBy($eqLogic, static function () use ($eqLogic, $command, $name): void {
                $eqLogic->checkAndUpdateCmd($command, Catalogue::stateValue($name), false);
            });
        }
        self::notifyUser($eqLogic, $before['state'] ?? '', $state);
    }

    /** The daemon stops: sets all enabled connections to "stopped". */
    public static function allStopped(): void
    {
        foreach (jeenergie::connections() as $connection) {
            if ($connection->getIsEnable() == 1) {
                $command = $connection->getCmd('info', 'state');
                self::apply($connection, is_object($command) ? $command : null, ['state' => 'stopped']);
            }
        }
    }

    /** The state for a page: {state, text, since, until, code, message}, or [] if none was reported. */
    public static function shown(jeenergie $eqLogic): array
    {
        return self::described($eqLogic->getIsEnable() == 1 ? $eqLogic->state() : ['state' => 'stopped']);
    }

    private static function described(array $state): array
    {
        return $state === [] ? [] : ['text' => Catalogue::state($state['state'])] + $state;
    }

    public static function messageId(string $id): string
    {
        return 'jeenergie::state::' . $id;
    }

    /**
     * Makes a text, which may quote a vendor, safe for the message centre. That shows HTML, decodes entities, and lets links
     * through with all of their attributes.
     */
    public static function plain(string $text): string
    {
        return str_replace(['<', '>'], ['‹', '›'], preg_replace('/&(?=#?\w{1,31};)/', '& ', $text));
    }

    /** Adds a message when something is wrong, and removes it once the connection is online again. */
    private static function notifyUser(jeenergie $eqLogic, string $before, array $state): void
    {
        $id = self::messageId((string) $eqLogic->getId());
        if (in_array($state['state'], self::REPORTED, true)) {
            if ($before !== $state['state'] && ($state['code'] ?? '') !== self::CAUSED_ELSEWHERE) {
                $text = ($state['message'] ?? '') ?: Catalogue::state($state['state']);
                message::add('jeenergie', self::plain(sprintf(__('%1$s : %2$s', __FILE__), $eqLogic->getName(), $text)), '', $id);
            }
        } elseif ($state['state'] === 'online' && $before !== 'online') {
            message::removeAll('jeenergie', $id);
        }
    }
}
