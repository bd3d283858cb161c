<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Equipment;

use Exception;
use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Daemon\DesiredState;
use Jeenergie\Storage\Row;
use log;
use message;

/**
 * A system that the daemon has found, and proved, at another address: the address in its connection's settings follows.
 */
final class Moved
{
    /**
     * Changes the one field that holds the address, and nothing else of the row.
     *
     * @param array $event {from, address}, as in core/contract/schema/callback.json
     * @throws Exception if the connection's system cannot move, the address is none, or a user has changed it meanwhile
     */
    public static function apply(jeenergie $connection, array $event): void
    {
        $way = $connection->isConnection() ? Catalogue::part($connection->backend(), null)['nearby'] ?? [] : [];
        if (!isset($way['serial'])) {
            throw new Exception('this connection has no address that may move');
        }
        $from = (string) $event['from'];
        $address = (string) $event['address'];
        if (filter_var($address, FILTER_VALIDATE_IP, FILTER_FLAG_IPV4) === false) {
            throw new Exception('not an address');
        }
        $stored = jeenergie::byId($connection->getId());
        $config = $stored instanceof jeenergie ? jeenergie::dictionary($stored->getConfiguration('config')) : [];
        if (($config[$way['fills']] ?? null) !== $from) {
            throw new Exception('its address is no longer ' . $from);
        }
        Row::update('eqLogic', $connection->getId(), [], ['config.' . $way['fills'] => $address]);
        $text = sprintf(
            __('%s : n\'est plus à l\'adresse %s. Retrouvé et reconnu à %s, qui sert désormais : réservez-la dans votre box.', __FILE__),
            $connection->getName(),
            $from,
            $address
        );
        log::add('jeenergie', 'warning', $text);
        message::add('jeenergie', State::plain($text), '', 'jeenergie::moved::' . $connection->getId());
        DesiredState::changed();
    }
}
