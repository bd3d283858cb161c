<?php

final class DiscoveryTest extends JeenergieTestCase
{
    public function testAnotherModeTakesTheCommandsOverWithTheirIds(): void
    {
        $connection = $this->connection(['mode' => 'one']);
        $old = $this->equipment($connection, '9', 'lonely');
        $power = $this->cmd($old, 'power')->getId();
        $connection->setConfiguration('config', ['mode' => 'many'])->save();
        $this->assertNotNull(jeenergie::byId($old->getId()));
        jeenergieDiscovery::createAll($connection, [['type' => 'meter', 'key' => '9', 'name' => 'All']]);
        $all = array_values($connection->equipment());
        $this->assertCount(1, $all);
        $this->assertSame('meter', $all[0]->type());
        $this->assertSame($power, $this->cmd($all[0], 'power')->getId());
    }

    public function testEquipmentOfTheSameModeKeepsItsCommands(): void
    {
        $connection = $this->connection(['mode' => 'one']);
        $lonely = $this->equipment($connection, '9', 'lonely');
        jeenergieDiscovery::createAll($connection, [['type' => 'meter', 'key' => '9', 'name' => 'All']]);
        $this->assertCount(2, $connection->equipment());
        $this->assertContains('power', $this->logicalIds($lonely));
    }
}
