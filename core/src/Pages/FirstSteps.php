<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

use config;
use Exception;
use jeenergie;
use jeeObject;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Equipment\Lifecycle;

/**
 * The way from a plugin that was just activated to values on the dashboard.
 *
 * How far it is follows from what there is, never from what was clicked, so that it can be left and taken up anywhere.
 * Only whether the user wants to see it is kept.
 */
final class FirstSteps
{
    /** What the user wants: "" (not begun), open, left or ended. */
    private const WISH = 'firstSteps';
    private const WISHES = ['open', 'left', 'ended'];

    /**
     * @param array $list connections, each with its equipment, and daemon, as PageActions::list() returns them
     * @return array [] once it is ended or was never needed, else {isLeft: bool, connection: id of the one it is about or
     * null, object: id of the one its equipment stands in, or null, objects: [{id, name}] to choose from, steps: [{name, state: done, now or later}]}; all done: it
     * has arrived
     */
    public static function of(array $list): array
    {
        $wish = config::byKey(self::WISH, 'jeenergie', '');
        $connections = array_values(array_filter($list['connections'], [self::class, 'isAdded']));
        if ($wish === 'ended' || ($wish === '' && $connections !== [])) {
            return [];
        }
        usort($connections, fn(array $a, array $b): int => self::progress($b) <=> self::progress($a));
        $connection = $connections[0] ?? null;
        $placed = array_values(array_filter($connection['equipment'] ?? [], [self::class, 'isPlaced']));
        $daemon = $list['daemon']['state'];
        $done = [
            'dependencies' => !in_array($daemon, ['dependencies', 'installing'], true),
            'daemon' => $daemon === 'running',
            'connection' => $connection !== null && self::hasAnswered($connection),
            'equipment' => $connection !== null && $connection['equipment'] !== [],
            'place' => $placed !== [],
        ];
        $steps = [];
        $next = array_search(false, $done, true);
        foreach ($done as $name => $isDone) {
            $steps[] = ['name' => $name, 'state' => $isDone ? 'done' : ($name === $next ? 'now' : 'later')];
        }
        return [
            'isLeft' => $wish === 'left',
            'connection' => $connection['id'] ?? null,
            'object' => $placed[0]['object'] ?? null,
            'objects' => $next === 'place' ? self::objects() : [],
            'steps' => $steps,
        ];
    }

    /** Called when a connection is added: the first one begins the way, unless it was left or ended before. */
    public static function begin(array $connections): void
    {
        $added = array_filter($connections, fn(jeenergie $each): bool => !self::isAutomatic($each->backend()));
        if (count($added) === 1 && config::byKey(self::WISH, 'jeenergie', '') === '') {
            config::save(self::WISH, 'open', 'jeenergie');
        }
    }

    /** @throws Exception if there is no such wish */
    public static function wish(string $wish): void
    {
        if (!in_array($wish, self::WISHES, true)) {
            throw new Exception(__('Cette action n\'existe pas : rechargez la page.', __FILE__));
        }
        config::save(self::WISH, $wish, 'jeenergie');
    }

    /** @return array[] {id, name} of the objects that a dashboard shows */
    private static function objects(): array
    {
        $visible = array_filter(jeeObject::all(), fn(jeeObject $each): bool => $each->getIsVisible() == 1);
        return array_values(array_map(
            fn(jeeObject $each): array => ['id' => (string) $each->getId(), 'name' => (string) $each->getName()],
            $visible
        ));
    }

    /**
     * Places a connection and what it has that stands in no object yet; connections that nobody adds follow the first time.
     *
     * @param string $id of an object; '' for a new one of that name
     */
    public static function place(jeenergie $connection, string $id, string $name): void
    {
        $object = $id === '' ? self::newObject(trim($name)) : jeeObject::byId($id);
        if (!is_object($object)) {
            throw new Exception(__('Cet objet n\'existe plus : rechargez la page.', __FILE__));
        }
        foreach (jeenergie::connections() as $each) {
            if ($each->getId() == $connection->getId() || (self::isAutomatic($each->backend()) && $each->getObject_id() == '')) {
                $each->setObject_id($object->getId());
                $each->save();
                Lifecycle::moveEquipmentToObject($each);
            }
        }
    }

    private static function newObject(string $name): jeeObject
    {
        if ($name === '') {
            throw new Exception(__('Donnez un nom.', __FILE__));
        }
        $object = new jeeObject();
        $object->setName($name);
        $object->setIsVisible(1);
        $object->save();
        return $object;
    }

    /** False for a connection that nobody adds. */
    private static function isAdded(array $connection): bool
    {
        return !self::isAutomatic($connection['backend']);
    }

    private static function isAutomatic(string $backend): bool
    {
        return in_array($backend, Catalogue::backends(), true) && isset(Catalogue::of($backend)['automatic']);
    }

    /** A connection that is silent for a while has not gone back a step. */
    private static function hasAnswered(array $connection): bool
    {
        $state = (array) $connection['state'];
        $news = array_filter(array_column($connection['equipment'], 'lastCommunication'));
        return $connection['isEnable'] && (($state['state'] ?? '') === 'online' || $news !== []);
    }

    private static function isPlaced(array $equipment): bool
    {
        return $equipment['isEnable'] && $equipment['isVisible'] && $equipment['object'] !== '';
    }

    /** The way is about the connection that is furthest. */
    private static function progress(array $connection): int
    {
        $placed = array_filter($connection['equipment'], [self::class, 'isPlaced']);
        return 4 * (int) self::hasAnswered($connection) + 2 * (int) ($placed !== []) + (int) $connection['isEnable'];
    }
}
